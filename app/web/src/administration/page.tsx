import type { ComponentType } from "react";
import type { PartProps } from "../pages";
import "../styles/administration.css";
import { Models } from "./models";
import { Peers } from "./peers";
import { People } from "./people";
import { deadJobs } from "./queue_table";
import { Queues } from "./queues";
import { useQueues } from "./queues_query";
import { SiteTexts } from "./site_texts";

const SECTIONS: readonly { words: string; Part: ComponentType }[] = [
  { words: "People", Part: People },
  { words: "Peers", Part: Peers },
  { words: "Queues and dead letters", Part: Queues },
  { words: "Models and prompts", Part: Models },
  { words: "Site texts", Part: SiteTexts },
];

/** What an administrator looks after, one section at a time. */
export default function AdministrationPage({ part, onPart }: PartProps) {
  const here = SECTIONS.find(({ words }) => words === part) ?? SECTIONS[0];
  const queues = useQueues();
  const dead = deadJobs(queues.data?.items ?? []);
  return (
    <main className="administration">
      <h1>Administration</h1>
      <nav className="sections" aria-label="Administration">
        {SECTIONS.map((section) => (
          <button key={section.words} type="button" aria-current={section === here ? "true" : undefined} onClick={() => { if (section !== here) onPart(section.words); }}>
            {section.words}
            {section.Part === Queues && dead > 0 && <span className="dead-count">{` ${dead} dead`}</span>}
          </button>
        ))}
      </nav>
      {here !== undefined && <here.Part />}
    </main>
  );
}
