/** White space as one space each. */
export function collapse(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

/** The text without control characters, which the service refuses (pasted text brings them); lines and tabs stay. */
export function writable(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/\r\n?/g, "\n").replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/g, " ");
}

/** Whether the text has this wording in it, whatever its line breaks. */
export function holds(text: string, wording: string): boolean {
  return collapse(text).includes(collapse(wording));
}

/** The text with the first `was` replaced by `is`; where there is no `was`, `is` is added at the end. Either may be "". */
export function reworded(text: string, was: string, is: string): string {
  const place = was === "" ? null : anyBreaks(was).exec(text);
  const parts = place === null ? [text, is, ""] : [text.slice(0, place.index), is, text.slice(place.index + place[0].length)];
  return parts
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .join(" ");
}

function anyBreaks(wording: string): RegExp {
  return new RegExp(collapse(wording).split(" ").map(escaped).join("\\s+"));
}

function escaped(word: string): string {
  return word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
