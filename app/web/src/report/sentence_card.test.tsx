// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { useReducer, useRef, useState } from "react";
import { afterEach, expect, it } from "vitest";
import type { Draft } from "../api/types";
import { acted } from "./decisions";
import { usePanelKeys } from "./panel_keys";
import { SentenceCard } from "./sentence_card";
import { workOf } from "./work";

const DRAFT: Draft = {
  id: "d", study_instance_uid: "1.2", version: 1, stale: false, model: "m", weights_digest: "w", prompt_version: "p", image_digests: [],
  created_at: "2026-01-01T00:00:00Z", notice: "", revision: 1, prior_study_instance_uid: null, prior_study_date: null, evidence: null,
  sentences: [
    { index: 0, section: "findings", text: "<b>Clear</b> lungs.", source: "image", author: "model", region: null, logprob: -0.05, flags: [] },
    { index: 1, section: "findings", text: "Larger heart.", source: "prior", author: "model", region: null, logprob: null, flags: [{ code: "comparison-without-prior", reason: "no verified prior" }] },
  ],
};

function List() {
  const [{ work }, act] = useReducer(acted, null, () => ({ work: workOf({ findings: "", impression: "", sentences: [] }, DRAFT), past: [] }));
  const [remarked, setRemarked] = useState(-1);
  const list = useRef<HTMLElement>(null);
  usePanelKeys(list);
  return (
    <section ref={list}>
      <button type="button" data-key="u" onClick={() => { act({ type: "undo" }); }}>Undo</button>
      <output>{remarked}</output>
      <div role="textbox" aria-label="Own words" contentEditable suppressContentEditableWarning tabIndex={0} />
      <ol>{work.sentences.map((sentence) => <SentenceCard key={sentence.draft.index} sentence={sentence} locked={false} onChange={act} onRemark={() => { setRemarked(sentence.draft.index); }} />)}</ol>
    </section>
  );
}

afterEach(cleanup);

const card = (index: number) => screen.getAllByRole("listitem").filter((item) => item.dataset["index"] !== undefined)[index]!;
const press = (key: string) => fireEvent.keyDown(document.activeElement ?? document.body, { key });

it("shows text as text, with source, confidence and the flag's reason in words", () => {
  render(<List />);
  expect(card(0).textContent).toContain("<b>Clear</b> lungs.");
  expect(card(0).textContent).toContain("from the image");
  expect(card(0).textContent).toContain("high (95 %)");
  expect(card(1).textContent).toContain("Flagged, comparison without prior: no verified prior");
});

it("is worked by keys alone: accept goes on, edit opens with the focus, Escape takes it back", () => {
  render(<List />);
  screen.getByRole("button", { name: /^Accept.*Clear/ }).focus();
  press("a");
  expect(card(0).dataset["decision"]).toBe("accepted");
  expect(card(1).contains(document.activeElement)).toBe(true);

  press("e");
  const box = screen.getByRole("textbox", { name: "Wording of the sentence" });
  expect(document.activeElement).toBe(box);
  fireEvent.change(box, { target: { value: "Heart unchanged." } });
  expect(card(1).dataset["decision"]).toBe("edited");
  fireEvent.keyDown(box, { key: "Escape" });
  expect(card(1).dataset["decision"]).toBe("pending");

  press("x");
  expect(card(1).dataset["decision"]).toBe("rejected");
  press("u");
  expect(card(1).dataset["decision"]).toBe("pending");
  press("x");
  press("r");
  expect(card(1).dataset["decision"]).toBe("pending");
  press("w");
  expect(screen.getByRole("status", { name: "" }).textContent).toBe("1");
  press("k");
  expect(card(0).contains(document.activeElement)).toBe(true);
  press("f");
  expect(card(1).contains(document.activeElement)).toBe(true);
});

it("letters typed into a sentence or into one's own words are letters", () => {
  render(<List />);
  fireEvent.click(screen.getByRole("button", { name: /^Edit.*Larger/ }));
  for (const key of "axruwjkfdtc") {
    fireEvent.keyDown(screen.getByRole("textbox", { name: "Wording of the sentence" }), { key });
    fireEvent.keyDown(screen.getByRole("textbox", { name: "Own words" }), { key });
  }
  expect(card(1).dataset["decision"]).toBe("pending");
  expect(screen.getByRole("status", { name: "" }).textContent).toBe("-1");
});
