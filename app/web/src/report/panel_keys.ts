import { useEffect, type RefObject } from "react";
import { useMeaning } from "../keys/keys_context";

const STEPS: Readonly<Record<string, number>> = { j: 1, k: -1, ArrowDown: 1, ArrowUp: -1 };
const LETTER_STEPS = new Set(["j", "k", "f"]);
const REGION = "g";
const DECISIONS = new Set(["a", "e", "x", "r", "w"]);
const ADVANCE = new Set(["a", "x"]);
/** What is on a button somewhere in the panel. */
const PANEL = new Set(["u", "d", "t", "c"]);

/**
 * Keys of the report, only while the focus is in it and nobody types, so that no letter meant as text is taken for a
 * command (WCAG 2.1.4). On a sentence: J/K or arrows move, F goes to the next open flag, A accepts, E edits, X rejects,
 * R restores, W says what is wrong with it, G goes to its evidence region; A and X go on to the next undecided sentence.
 * Anywhere in the report: J, K and F reach the sentences, U undoes the last decision, D shows the changes, T the
 * templates, C is for a critical result. Letters here, and in data-key, are the page's own; the reader may have others.
 */
export function usePanelKeys(panel: RefObject<HTMLElement | null>): void {
  const meaning = useMeaning("report");
  useEffect(() => {
    const element = panel.current;
    if (element === null) return undefined;
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || !isCommandPlace(event.target)) return;
      const key = meaning(event);
      if (key !== undefined && act(element, event.target, key)) event.preventDefault();
    };
    element.addEventListener("keydown", onKeyDown);
    return () => { element.removeEventListener("keydown", onKeyDown); };
  }, [panel, meaning]);
}

/** Whether a letter pressed there is a command and no text. */
export function isCommandPlace(target: EventTarget | null): target is Element {
  return target instanceof Element && target.closest("input, textarea, select, dialog, [contenteditable], [role=textbox]") === null;
}

function act(panel: HTMLElement, from: Element, key: string): boolean {
  if (PANEL.has(key)) return press(panel, key);
  const cards = [...panel.querySelectorAll<HTMLElement>("[data-index]")];
  const here = cards.findIndex((card) => card.contains(from));
  const step = STEPS[key];
  if (step !== undefined) return here >= 0 ? focusOn(cards[here + step]) : LETTER_STEPS.has(key) && focusOn(cards[0]);
  if (key === "f") return focusOn(following(cards, here).find(isOpenFlag));
  const card = cards[here];
  if (key === REGION) return click(card?.querySelector("[data-region]"));
  if (card === undefined || !DECISIONS.has(key) || !press(card, key)) return false;
  if (ADVANCE.has(key)) focusOn(following(cards, here).find(isUndecided));
  return true;
}

function press(place: HTMLElement, key: string): boolean {
  return click(place.querySelector(`[data-key="${key}"]`));
}

function click(button: HTMLButtonElement | null | undefined): boolean {
  button?.click();
  return button !== null && button !== undefined;
}

/** The cards after this one, and then from the top. */
function following(cards: HTMLElement[], here: number): HTMLElement[] {
  return [...cards.slice(here + 1), ...cards.slice(0, Math.max(0, here))];
}

export function focusOn(card: HTMLElement | null | undefined): boolean {
  const button = card?.querySelector<HTMLButtonElement>("[data-key]");
  button?.focus();
  return button !== undefined && button !== null;
}

function isUndecided(card: HTMLElement): boolean {
  return card.dataset["decision"] === "pending";
}

function isOpenFlag(card: HTMLElement): boolean {
  return isUndecided(card) && card.querySelector(".flags") !== null;
}
