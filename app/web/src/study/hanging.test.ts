import { expect, it } from "vitest";
import type { LedgerEntry, Study, StudyImage } from "../api/types";
import { hang, withPrior } from "./hanging";

let count = 0;
function image(role: StudyImage["role"], view: string | null, study_date: string): StudyImage {
  count += 1;
  return { study_instance_uid: "1", series_instance_uid: "1", sop_instance_uid: `1.${count}`, view, study_date, role, display_url: "/" };
}

it.each([
  ["frontal before lateral", ["LATERAL", "PA"], [["PA", "20250101"]], "PA", "PA 20250101"],
  ["newest prior of the same view", ["PA"], [["PA", "20240101"], ["AP", "20260101"], ["PA", "20250101"]], "PA", "PA 20250101"],
  ["another frontal where the view differs", ["AP"], [["LATERAL", "20260101"], ["PA", "20250101"]], "AP", "PA 20250101"],
  ["views unknown: the newest", [null], [[null, "20240101"], [null, "20250101"]], null, "null 20250101"],
  ["a lateral alone beside the last lateral", ["LL"], [["PA", "20260101"], ["LL", "20250101"], ["LL", "20240101"]], "LL", "LL 20250101"],
  ["the same view before a newer other one", ["AP"], [["PA", "20260101"], ["AP", "20240101"]], "AP", "AP 20240101"],
  ["a frontal prior where the current view is unknown", [null], [["LL", "20260101"], ["PA", "20250101"]], null, "PA 20250101"],
  ["no prior", ["PA"], [], "PA", undefined],
] as const)("%s", (_name, currents, priors, current, prior) => {
  const images = [...currents.map((view) => image("current", view, "20261120")), ...priors.map(([view, date]) => image("prior", view, date))];
  const hung = hang(images);
  expect(hung.current?.view).toBe(current);
  expect(hung.prior === null ? undefined : `${hung.prior.view} ${hung.prior.study_date}`).toBe(prior);
});

it("hangs another prior's image of the same view in the chosen one's place", () => {
  const [current, chosen] = [image("current", "PA", "20261120"), image("prior", "PA", "20250101")];
  const others = [image("prior", "LATERAL", "20200101"), image("prior", "PA", "20200101")];
  const study = { images: [current, chosen] } as unknown as Study;
  const shown = withPrior(study, { images: others } as unknown as LedgerEntry);
  expect(shown.images).toEqual([current, ...others]);
  expect(hang(shown.images)).toEqual({ current, prior: others[1] });
  expect(study.images).toEqual([current, chosen]);
});
