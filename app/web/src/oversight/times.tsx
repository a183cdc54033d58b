import type { Oversight } from "../api/types";
import { FigureTable } from "./figure_table";
import { durationInWords, inDigits } from "./wording";

/** How long studies waited for their signature. */
export function TimesToSign({ times }: { times: Oversight["time_to_sign"] }) {
  const lines = [
    { head: "Since the first image was received", spread: times.since_received },
    { head: "Since the draft was written", spread: times.since_draft },
  ];
  return (
    <section aria-labelledby="times">
      <h2 id="times">Time to signature</h2>
      <p className="meaning">
        Median: half of the reports were signed within this time. 90th percentile: nine of ten were. The second line counts the reports that rest on a draft, from that
        draft on. Time in which nobody was reading is part of both.
      </p>
      <FigureTable
        caption="Time from image and draft to signature"
        columns={["Time", "Reports", "Median", "90th percentile"]}
        rows={lines.map(({ head, spread }) => ({ key: head, head, cells: [inDigits(spread.reports), durationInWords(spread.median), durationInWords(spread.p90)] }))}
      />
    </section>
  );
}
