import { keepPreviousData, useQuery, type UseQueryResult } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { usePages, Pager } from "../administration/pages";
import { Section } from "../administration/section";
import { useServices } from "../app_context";
import "../styles/administration.css";
import { PAGE, readEntries, type Entries } from "./calls";
import { ChainState } from "./chain_state";
import { EntryTable } from "./entry_table";
import { SearchForm } from "./search_form";
import { ANYTHING, askable, parameters, type Wanted } from "./wanted";

/** The audit chain: whether it holds, and who did what. */
export default function AuditPage() {
  const { client } = useServices();
  const pages = usePages<number>();
  const box = useRef<HTMLDivElement>(null);
  // The moment makes each search one of its own; a page that was read is not asked for twice, since each reading is an entry.
  const [asked, setAsked] = useState<{ wanted: Wanted; at: number }>(() => ({ wanted: ANYTHING, at: Date.now() }));
  const [hasHashes, setHashes] = useState(false);
  const entries = useQuery({
    queryKey: ["audit", asked, pages.after],
    queryFn: ({ signal }) => readEntries(client.http, parameters(asked.wanted), pages.after, signal),
    placeholderData: keepPreviousData,
    staleTime: Infinity,
  });
  const items = entries.data?.items ?? [];
  const search = (wanted: Wanted) => {
    pages.restart();
    setAsked({ wanted, at: Date.now() });
  };
  return (
    <main className="administration">
      <h1>Audit</h1>
      <ChainState />
      <Section title="Entries" about="Who did what, as the chain has it. Each search, and each page of what it finds, is itself an entry." fault={entries.error}>
        <SearchForm actors={[...new Set(items.map(({ actor }) => actor))].sort()} actions={askable(items.map(({ action }) => action))} busy={entries.isFetching} onSearch={search} />
        <div className="found">
          <span className="quiet" role="status">{foundWords(entries, pages.number)}</span>
          <label className="check">
            <input type="checkbox" checked={hasHashes} onChange={() => { setHashes(!hasHashes); }} />
            Show each entry’s hash
          </label>
        </div>
        {items.length > 0 && <EntryTable entries={items} order={asked.wanted.order} hasHashes={hasHashes} box={box} />}
        <Pager name="Pages of entries" pages={pages} next={entries.data?.next ?? null} busy={entries.isPlaceholderData} onTurn={() => box.current?.focus()} />
      </Section>
    </main>
  );
}

function foundWords({ data, isFetching }: UseQueryResult<Entries>, page: number): string {
  if (isFetching) return "Searching…";
  if (data === undefined) return "";
  const count = data.items.length;
  if (count === 0) return "No entry matches.";
  const before = (page - 1) * PAGE;
  return count === 1 && before === 0 ? "1 entry" : `Entries ${before + 1} to ${before + count} of what was found`;
}
