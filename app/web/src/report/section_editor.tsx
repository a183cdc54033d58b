import type { DraftSentence, Remark, SavedText, Section } from "../api/types";
import { PlainEditor } from "./plain_editor";
import { SentenceCard } from "./sentence_card";
import type { Change, Work } from "./work";

interface Props {
  section: Section;
  work: Work;
  locked: boolean;
  texts: readonly SavedText[];
  /** By the sentence's index. */
  remarks: ReadonlyMap<number, readonly Remark["kind"][]>;
  onChange: (change: Change) => void;
  onPick: () => void;
  onRemark: (sentence: DraftSentence) => void;
}

/** One section: the draft's sentences to be decided on, and the reader's own words under them. */
export function SectionEditor({ section, work, locked, texts, remarks, onChange, onPick, onRemark }: Props) {
  const sentences = work.sentences.filter(({ draft }) => draft.section === section);
  const isWhole = work.whole[section] && sentences.length > 0;
  const label = isWhole ? `${section}, whole text` : ownLabel(section, sentences.length > 0);
  return (
    <section className="section" aria-label={section}>
      <h2 className="section-name">{section}</h2>
      {sentences.length > 0 && (
        <ol className="sentences">
          {sentences.map((sentence) => (
            <SentenceCard
              key={sentence.draft.index}
              sentence={sentence}
              locked={locked}
              onChange={onChange}
              remarks={remarks.get(sentence.draft.index) ?? []}
              onRemark={() => { onRemark(sentence.draft); }}
            />
          ))}
        </ol>
      )}
      <div className="own">
        <span aria-hidden="true">{isWhole ? `${label} (kept from before; each decision above changes its sentence in it)` : label}</span>
        <PlainEditor section={section} label={label} value={work.own[section]} readOnly={locked} texts={texts} onPick={onPick} onChange={(text) => { onChange({ type: "own", section, text }); }} />
      </div>
    </section>
  );
}

function ownLabel(section: Section, hasDraft: boolean): string {
  return hasDraft ? `Add to ${section} in your own words` : `Your ${section}`;
}
