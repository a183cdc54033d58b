// @vitest-environment jsdom
import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { useState } from "react";
import { afterEach, expect, it } from "vitest";
import type { SavedText } from "../api/types";
import type { DictationSource } from "./dictation";
import { DictationButton } from "./dictation_button";
import { PlainEditor } from "./plain_editor";
import { TextFields, TextFieldsContext } from "./text_fields";

/** Somebody who says what a test tells him to. */
class Speaker implements DictationSource {
  heard: Parameters<DictationSource["start"]>[0] | null = null;
  isOn = false;

  readonly start = (heard: Parameters<DictationSource["start"]>[0]) => {
    this.heard = heard;
    this.isOn = true;
    heard.onState({ kind: "listening" });
  };

  readonly stop = () => { this.isOn = false; };
  readonly say = (text: string) => { act(() => { this.heard?.onText(text); }); };
}

const NONE: SavedText[] = [];
const nothing = () => undefined;

function Desk({ speaker, locked = false }: { speaker: Speaker; locked?: boolean }) {
  const [text, setText] = useState("");
  const [fields] = useState(() => new TextFields());
  return (
    <TextFieldsContext value={fields}>
      <PlainEditor section="findings" label="Your findings" value={text} readOnly={locked} texts={NONE} onPick={nothing} onChange={setText} />
      <DictationButton locked={locked} source={() => speaker} />
      <output aria-label="What was written">{text}</output>
      <input aria-label="Elsewhere" />
    </TextFieldsContext>
  );
}

afterEach(cleanup);

const written = () => screen.getByLabelText("What was written").textContent;
const said = () => document.querySelector("span[role=status]")!.textContent;

it("writes 10,000 words in the order they are said, and takes the focus from nobody", () => {
  const speaker = new Speaker();
  render(<Desk speaker={speaker} />);
  fireEvent.click(screen.getByRole("button", { name: "Dictate" }));
  screen.getByLabelText("Elsewhere").focus();
  const words = Array.from({ length: 10_000 }, (_, number) => `word${number}`);
  for (let at = 0; at < words.length; at += 20) speaker.say(words.slice(at, at + 20).join(" "));
  expect(written()).toBe(words.join(" "));
  expect(document.activeElement).toBe(screen.getByLabelText("Elsewhere"));
}, 60_000);

it("is off until it is turned on, says so, and hears nothing after it was turned off", () => {
  const speaker = new Speaker();
  render(<Desk speaker={speaker} />);
  expect(speaker.isOn).toBe(false);
  fireEvent.click(screen.getByRole("button", { name: "Dictate" }));
  expect(said()).toContain("Microphone on");
  speaker.say("The lungs are clear.");
  fireEvent.click(screen.getByRole("button", { name: /Stop dictating/ }));
  expect(speaker.isOn).toBe(false);
  speaker.say("Said too late.");
  expect(written()).toBe("The lungs are clear.");
  expect(said()).toBe("");
});

it("says why it cannot listen, and can be asked again", () => {
  const speaker = new Speaker();
  render(<Desk speaker={speaker} />);
  fireEvent.click(screen.getByRole("button", { name: "Dictate" }));
  act(() => { speaker.heard?.onState({ kind: "failed", why: "No microphone was found." }); });
  expect(said()).toBe("No microphone was found.");
  fireEvent.click(screen.getByRole("button", { name: "Dictate" }));
  speaker.say("Again.");
  expect(written()).toBe("Again.");
});

it("stops when the report can no longer be written", () => {
  const speaker = new Speaker();
  const { rerender } = render(<Desk speaker={speaker} />);
  fireEvent.click(screen.getByRole("button", { name: "Dictate" }));
  rerender(<Desk speaker={speaker} locked />);
  expect(speaker.isOn).toBe(false);
});
