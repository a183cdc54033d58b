import type { Section } from "../api/types";
import { draftText, SECTIONS, written, type Work } from "./work";
import { wordDiff, type Edit } from "./word_diff";

/** The draft against the text as it stands, word by word: what went is struck through, what came is underlined. */
export function DiffView({ work }: { work: Work }) {
  const text = written(work);
  return (
    <section className="diff" aria-label="Changes against the draft">
      <p className="facts"><del>Only in the draft</del>{" · "}<ins>only in your report</ins></p>
      {SECTIONS.map((section) => <SectionDiff key={section} section={section} edits={wordDiff(draftText(work, section), text[section])} />)}
    </section>
  );
}

function SectionDiff({ section, edits }: { section: Section; edits: Edit[] }) {
  return (
    <>
      <h3 className="section-name">{section}</h3>
      {edits.length === 0 && <p className="quiet">Neither the draft nor the report says anything here.</p>}
      <p className="prose">{edits.map((edit, at) => <Piece key={at} {...edit} />)}</p>
    </>
  );
}

function Piece({ op, text }: Edit) {
  if (op === "deleted") return <del><span className="unseen">[removed: </span>{text}<span className="unseen">]</span></del>;
  if (op === "inserted") return <ins><span className="unseen">[added: </span>{text}<span className="unseen">]</span></ins>;
  return <span>{text}</span>;
}
