import { useQuery } from "@tanstack/react-query";
import { useServices } from "../app_context";
import { momentInWords } from "../words/dates";
import { readModels } from "./calls";
import { Section } from "./section";
import { Table } from "./table";

const COUNTS = ["Drafts", "In force"];

/** Which model with which weights and prompt wrote here. */
export function Models() {
  const { client } = useServices();
  const models = useQuery({ queryKey: ["admin", "models"], queryFn: ({ signal }) => readModels(client.http, signal) });
  return (
    <Section title="Models and prompts" about="Every model, by its weights and prompt, that ever drafted here; the one used last comes first. A draft is in force until a newer one, or a new image, takes its place." fault={models.error}>
      {models.data?.length === 0 && <p>No draft has been written yet.</p>}
      {models.data !== undefined && models.data.length > 0 && (
        <Table caption={`Models and prompt versions: ${models.data.length}`} heads={["Model", "Weights digest", "Prompt version", ...COUNTS, "First draft", "Last draft"]} numbers={COUNTS}>
          {models.data.map((version) => (
            <tr key={`${version.model} ${version.weights_digest} ${version.prompt_version}`}>
              <th scope="row">{version.model}</th>
              <td className="code digest">{version.weights_digest}</td>
              <td>{version.prompt_version}</td>
              <td className="number">{version.drafts}</td>
              <td className="number">{version.current}</td>
              <td className="time">{momentInWords(version.first_draft_at)}</td>
              <td className="time">{momentInWords(version.last_draft_at)}</td>
            </tr>
          ))}
        </Table>
      )}
    </Section>
  );
}
