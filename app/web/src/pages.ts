import type { Identity } from "./api/types";

export type PageName = "worklist" | "oversight" | "administration" | "audit";

/** For a page of several parts: which of them is open, by its name, null for the first. */
export interface PartProps {
  part: string | null;
  onPart: (part: string) => void;
}

/** The pages, in the order of the top bar, and whose they are; the service decides, the page only hides what it would refuse. */
export const PAGES: readonly { name: PageName; words: string; roles: Identity["roles"] }[] = [
  { name: "worklist", words: "Worklist", roles: ["radiologist", "viewer", "admin"] },
  { name: "oversight", words: "Drafts in use", roles: ["lead"] },
  { name: "administration", words: "Administration", roles: ["admin"] },
  { name: "audit", words: "Audit", roles: ["admin", "auditor"] },
];

export function pagesFor(reader: Identity): PageName[] {
  return PAGES.filter((page) => page.roles.some((role) => reader.roles.includes(role))).map((page) => page.name);
}
