import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import type { Signing } from "../api/client";
import { useServices } from "../app_context";
import { Dialog } from "../dialog";
import { ADDENDUM_MEANING } from "../words/said";
import { SigningForm } from "./signing_form";

export function AddendumDialog({ reportId, onClose, onAdded }: { reportId: string; onClose: () => void; onAdded: () => void }) {
  const { client, reader } = useServices();
  const [text, setText] = useState("");
  const [empty, setEmpty] = useState(false);
  const add = useMutation({ mutationFn: (signing: Signing) => client.addAddendum(reportId, text.trim(), signing), onSuccess: onAdded });
  const onSign = (signing: Signing) => {
    setEmpty(text.trim() === "");
    if (text.trim() !== "") add.mutate(signing);
  };
  return (
    <Dialog title="Addendum" onClose={onClose}>
      <label className="own">
        Text of the addendum, sent word for word under the signed report
        <textarea rows={6} spellCheck value={text} onChange={(event) => { setText(event.target.value); }} />
      </label>
      <SigningForm
        signer={reader.name}
        meanings={[ADDENDUM_MEANING]}
        verb="Sign and send the addendum"
        isFirst={false}
        busy={add.isPending}
        fault={empty ? "Write the addendum first." : (add.error?.message ?? null)}
        onSign={onSign}
        onCancel={onClose}
      />
    </Dialog>
  );
}
