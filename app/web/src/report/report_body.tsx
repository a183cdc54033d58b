/** The two sections as they are sent; an empty one is said to be empty. */
export function ReportBody({ findings, impression }: { findings: string; impression: string }) {
  return (
    <div className="report-body">
      <h3>Findings</h3>
      <Text text={findings} />
      <h3>Impression</h3>
      <Text text={impression} />
    </div>
  );
}

function Text({ text }: { text: string }) {
  return text.trim() === "" ? <p className="quiet">Nothing written.</p> : <p className="prose">{text}</p>;
}
