import { QueryClient } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Client } from "./api/client";
import { Http, Problem } from "./api/http";
import { App } from "./app";
import "./styles/base.css";
import "./styles/worklist.css";
import "./styles/study.css";
import "./styles/report.css";

/** A refusal (4xx) will be the same the next time. */
function isWorthRetrying(failures: number, error: Error): boolean {
  return failures < 1 && !(error instanceof Problem && error.status < 500);
}

const root = document.getElementById("root");
if (root === null) throw new Error("The page has no #root to draw into.");

const queries = new QueryClient({
  defaultOptions: {
    // The service stands in the house: a browser that knows of no internet asks all the same, and says that nobody answered.
    // The event stream says what changed; asking again on every focus would only fill the audit trail, where each read is kept.
    queries: { networkMode: "always", retry: isWorthRetrying, staleTime: 5_000, refetchOnWindowFocus: false },
    mutations: { networkMode: "always" },
  },
});

createRoot(root).render(
  <StrictMode>
    <App client={new Client(new Http())} queries={queries} />
  </StrictMode>,
);
