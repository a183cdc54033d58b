/**
 * A DICOM person name (PS3.5 6.2.1) as it is read: "Family, Prefix Given Middle, Suffix".
 * Ideographic and phonetic groups follow in brackets, so that no way a patient is known by is hidden.
 */
export function nameInWords(name: string | null): string {
  const groups = (name ?? "").split("=").map(oneGroup).filter((group) => group !== "");
  const [first, ...others] = groups;
  if (first === undefined) return "Name unknown";
  return others.length === 0 ? first : `${first} (${others.join(", ")})`;
}

const SEXES: Readonly<Record<string, string>> = { M: "male", F: "female", O: "other" };

export function sexInWords(sex: string | null): string {
  return SEXES[sex ?? ""] ?? (sex === null || sex === "" ? "sex unknown" : sex);
}

function oneGroup(group: string): string {
  const [family = "", given = "", middle = "", prefix = "", suffix = ""] = group.split("^").map((part) => part.trim());
  const rest = [prefix, given, middle].filter((part) => part !== "").join(" ");
  return [family, rest, suffix].filter((part) => part !== "").join(", ");
}
