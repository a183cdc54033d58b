import { createContext, useContext } from "react";
import type { Client } from "./api/client";
import type { Identity } from "./api/types";
import type { Desk } from "./report/desk";

/** What every part of the page may use once somebody is logged in. */
export interface Services {
  client: Client;
  desk: Desk;
  reader: Identity;
}

export const ServicesContext = createContext<Services | null>(null);

export function useServices(): Services {
  const services = useContext(ServicesContext);
  if (services === null) throw new Error("Nobody is logged in.");
  return services;
}

/** Whether this reader writes and signs reports; the service decides, the page only hides what it would refuse. */
export function mayReport(reader: Identity): boolean {
  return reader.roles.includes("radiologist");
}
