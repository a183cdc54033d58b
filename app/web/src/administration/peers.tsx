import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useServices } from "../app_context";
import { momentInWords } from "../words/dates";
import { echo, readPeers } from "./calls";
import { Section, type Done } from "./section";
import { Table } from "./table";
import type { Peer } from "./types";
import { echoInWords, peerKindInWords, peerRolesInWords } from "./words";

const PEERS = ["admin", "peers"];
const HEADS = ["Peer", "Kind", "AE title", "Address", "Role", "TLS", "Last answer", "Actions"];

/** The counterparts that the configuration names, and whether they are there. */
export function Peers() {
  const { client } = useServices();
  const peers = useQuery({ queryKey: PEERS, queryFn: ({ signal }) => readPeers(client.http, signal) });
  const [done, setDone] = useState<Done | null>(null);
  const hasSilent = peers.data?.some((peer) => peer.last_echo?.outcome === "failed") === true;
  return (
    <Section title="Peers" about="The counterparts that the configuration names, each with the answer to its latest echo from here. Peers are added and changed in the configuration file." done={done} fault={peers.error}>
      {peers.data?.length === 0 && <p>No peer is configured. Images come in from nobody, and results go nowhere, until the configuration names peers.</p>}
      {peers.data !== undefined && peers.data.length > 0 && (
        <Table caption={`Configured peers: ${peers.data.length}`} heads={HEADS}>
          {peers.data.map((peer) => <Row key={peer.name} peer={peer} onSaid={setDone} />)}
        </Table>
      )}
      {hasSilent && <p className="quiet">Where a DICOM peer does not answer: is it running, are address and port right, does a firewall stand between, and does it know this service’s AE title? Its own log says what it refused.</p>}
    </Section>
  );
}

function Row({ peer, onSaid }: { peer: Peer; onSaid: (done: Done | null) => void }) {
  const { client } = useServices();
  const queries = useQueryClient();
  const ask = useMutation({
    mutationFn: () => echo(client.http, peer.name),
    onMutate: () => { onSaid(null); },
    onSuccess: (answer) => { onSaid({ words: `${peer.name}: ${echoInWords(answer)}` }); },
    onError: (error) => { onSaid({ words: `${peer.name} was not asked: ${error.message}` }); },
    onSettled: () => queries.invalidateQueries({ queryKey: PEERS }),
  });
  return (
    <tr>
      <th scope="row">{peer.name}</th>
      <td>{peerKindInWords(peer.kind)}</td>
      <td>{peer.ae_title ?? "–"}</td>
      <td className="code">{peer.address}</td>
      <td>{peerRolesInWords(peer.roles)}</td>
      <td>{peer.tls ? "yes" : "no"}</td>
      <td>{ask.isPending ? "Being asked, for up to 10 s…" : <LastEcho peer={peer} />}</td>
      <td>
        {peer.checkable
          ? <button type="button" aria-disabled={ask.isPending} onClick={() => { if (!ask.isPending) ask.mutate(); }}>{ask.isPending ? "Asking…" : "Echo now"}<span className="unseen">{` ${peer.name}`}</span></button>
          : <span className="quiet">can only be reached by sending it something</span>}
      </td>
    </tr>
  );
}

function LastEcho({ peer: { last_echo: last } }: { peer: Peer }) {
  if (last === null) return "not asked yet";
  return (
    <>
      <span className={last.outcome === "answered" ? "good" : "bad"}>{echoInWords(last)}</span>
      <br />
      <small>{momentInWords(last.at)}</small>
    </>
  );
}
