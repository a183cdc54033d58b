import { useEffect, type RefObject } from "react";

const STEPS: Readonly<Record<string, number>> = { j: 1, k: -1, ArrowDown: 1, ArrowUp: -1 };
const DECISIONS = new Set(["a", "e", "x", "u"]);
const ADVANCE = new Set(["a", "x"]);

/**
 * Keys on the draft's sentences, only while the focus is on one of their buttons, so that no letter typed anywhere
 * else is taken for a command (WCAG 2.1.4): J/K or arrows move, F goes to the next open flag, A accepts, E edits,
 * X rejects, U restores. A and X go on to the next undecided sentence.
 */
export function useSentenceKeys(list: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const element = list.current;
    if (element === null) return undefined;
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.altKey || event.metaKey || !(event.target instanceof HTMLButtonElement)) return;
      if (act(element, event.target, event.key)) event.preventDefault();
    };
    element.addEventListener("keydown", onKeyDown);
    return () => { element.removeEventListener("keydown", onKeyDown); };
  }, [list]);
}

function act(list: HTMLElement, from: HTMLButtonElement, key: string): boolean {
  const cards = [...list.querySelectorAll<HTMLElement>("[data-index]")];
  const here = cards.findIndex((card) => card.contains(from));
  if (here < 0) return false;
  const step = STEPS[key];
  if (step !== undefined) return focusOn(cards[here + step]);
  if (key === "f") return focusOn(following(cards, here).find(isOpenFlag));
  if (!DECISIONS.has(key)) return false;
  cards[here]?.querySelector<HTMLButtonElement>(`[data-key="${key}"]`)?.click();
  if (ADVANCE.has(key)) focusOn(following(cards, here).find(isUndecided));
  return true;
}

/** The cards after this one, and then from the top. */
function following(cards: HTMLElement[], here: number): HTMLElement[] {
  return [...cards.slice(here + 1), ...cards.slice(0, here)];
}

function focusOn(card: HTMLElement | undefined): boolean {
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
