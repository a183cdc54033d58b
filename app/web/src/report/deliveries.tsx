import { useQuery } from "@tanstack/react-query";
import type { Delivery } from "../api/types";
import { useServices } from "../app_context";
import { momentInWords } from "../words/dates";

/** Where the signed report went, and what hinders it. Asked again every 5 s until everything has arrived or died. */
export function Deliveries({ reportId }: { reportId: string }) {
  const { client } = useServices();
  const deliveries = useQuery({
    queryKey: ["deliveries", reportId],
    queryFn: () => client.deliveries(reportId),
    refetchInterval: (query) => (query.state.data?.some(isUnderWay) === true ? 5_000 : 30_000),
  });
  return (
    <section className="deliveries" aria-label="Delivery">
      <h3>Delivery</h3>
      {deliveries.isError && <p className="problem" role="alert">{deliveries.error.message}</p>}
      {deliveries.data?.length === 0 && <p className="quiet">Nothing has been handed to a destination yet.</p>}
      <ul>
        {deliveries.data?.map((delivery, index) => (
          <li key={`${index}-${delivery.channel}-${delivery.destination}`}>{deliveryInWords(delivery)}</li>
        ))}
      </ul>
    </section>
  );
}

export function deliveryInWords({ channel, destination, status, attempts, last_error, delivered_at }: Delivery): string {
  const where = `${channel} to ${destination}`;
  if (status === "delivered") return `✓ ${where}: delivered ${momentInWords(delivered_at)}`;
  const tried = attempts === 0 ? "" : `, ${attempts} ${attempts === 1 ? "attempt" : "attempts"}`;
  const why = last_error === null || last_error === "" ? "" : ` — ${last_error}`;
  if (status === "dead") return `✕ ${where}: given up${tried}${why}. An administrator must look at it.`;
  return `… ${where}: ${status}${tried}${why}`;
}

function isUnderWay({ status }: Delivery): boolean {
  return status !== "delivered" && status !== "dead";
}
