import { useMutation } from "@tanstack/react-query";
import { Section } from "../administration/section";
import { useServices } from "../app_context";
import { verifyChain, type Chain } from "./calls";

/** Whether the chain holds: walked on request, since that takes a while and is itself an entry. */
export function ChainState() {
  const { client } = useServices();
  const check = useMutation({ mutationFn: () => verifyChain(client.http) });
  return (
    <Section title="State of the chain" about="Each entry carries a hash over itself and the entry before it, so that an edit, a removal or another order shows. The relay checks the chain by itself too, and an alert tells of a break." fault={check.error}>
      <div className="chain-line">
        <button type="button" aria-disabled={check.isPending} onClick={() => { if (!check.isPending) check.mutate(); }}>{check.isPending ? "Checking…" : "Check the chain"}</button>
        <div role="status">{check.data === undefined ? <p className="quiet">Not checked here yet.</p> : <Found chain={check.data} />}</div>
      </div>
    </Section>
  );
}

function Found({ chain: { ok, entries, problem } }: { chain: Chain }) {
  if (ok) return <p className="note"><strong>The chain holds.</strong>{` ${entries} entries were checked: none was altered, removed or moved.`}</p>;
  return (
    <div className="problem chain-broken">
      <p><strong>The chain is broken:</strong>{` ${problem ?? "the check did not say where"}.`}</p>
      <p>The record was changed in the database, past the service. The entries before that place agree with each other; from there on the record proves nothing. This is an incident, not a defect:</p>
      <ol>
        <li>Stop the service’s writing: receiver, workers, relay and this page’s service.</li>
        <li>Keep a copy of the database as it is, and mend nothing in it.</li>
        <li>Tell whoever is responsible for privacy and security here (runbook: “Audit chain broken”).</li>
        <li>Compare with the latest backup in which the chain held: it shows what was changed.</li>
      </ol>
    </div>
  );
}
