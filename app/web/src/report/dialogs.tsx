import type { Draft, DraftSentence, Remark, Report, SavedText, Study } from "../api/types";
import type { Autosave } from "./autosave";
import { RemarkDialog } from "./remark_dialog";
import { SignDialog } from "./sign_dialog";
import { TextManager } from "./text_manager";
import { TextPicker } from "./text_picker";
import { WithdrawDialog } from "./withdraw_dialog";

/** Which dialog stands over the report. */
export type Open = { kind: "sign" | "withdraw" | "texts" | "manage" } | { kind: "remark"; sentence: DraftSentence | null };

/** In place of a sentence's index. */
export const DRAFT_AS_A_WHOLE = -1;

interface Props {
  open: Open;
  study: Study;
  draft: Draft | null;
  report: Report;
  saver: Autosave;
  texts: readonly SavedText[];
  onOpen: (open: Open | null) => void;
  onInsert: (text: SavedText) => void;
  onRemarked: (index: number, kind: Remark["kind"]) => void;
  onFinished: () => void;
}

export function Dialogs({ open, study, draft, report, saver, texts, onOpen, onInsert, onRemarked, onFinished }: Props) {
  const close = () => { onOpen(null); };
  switch (open.kind) {
    case "sign":
      return <SignDialog study={study} saver={saver} onClose={close} onSigned={onFinished} />;
    case "withdraw":
      return <WithdrawDialog reportId={report.id} saver={saver} onClose={close} onWithdrawn={onFinished} />;
    case "texts":
      return <TextPicker study={study} texts={texts} onInsert={onInsert} onManage={() => { onOpen({ kind: "manage" }); }} onClose={close} />;
    case "manage":
      return <TextManager onClose={close} />;
    case "remark":
      if (draft === null) return null;
      return <RemarkDialog draftId={draft.id} sentence={open.sentence} onClose={close} onGiven={(kind) => { onRemarked(open.sentence?.index ?? DRAFT_AS_A_WHOLE, kind); }} />;
  }
}
