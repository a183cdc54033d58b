import { useState, type ReactNode } from "react";
import type { Identity } from "../api/types";
import { KeyHelp } from "../keys/key_help";
import { PAGES, type PageName } from "../pages";
import { PasswordDialog } from "./password_dialog";
import { THEMES, type Theme } from "./theme";

interface Props {
  reader: Identity;
  theme: readonly [Theme, (theme: Theme) => void];
  pages: readonly PageName[];
  /** The page that is open; null where a study is. */
  here: PageName | null;
  onPage: (page: PageName) => void;
  onLogout: () => void;
  children: ReactNode;
}

/** `children`: what the page says of its own state. */
export function TopBar({ reader, theme, pages, here, onPage, onLogout, children }: Props) {
  const [help, setHelp] = useState(false);
  const [asksPassword, setAsksPassword] = useState(false);
  const shown = PAGES.filter((page) => pages.includes(page.name));
  return (
    <header className="top-bar">
      <span className="product">UniRG review</span>
      {(shown.length > 1 || here === null) && (
        <nav className="pages" aria-label="Pages">
          {shown.map(({ name, words }) => (
            <button key={name} type="button" aria-current={name === here ? "page" : undefined} onClick={() => { onPage(name); }}>
              {name === "worklist" && here === null ? `← ${words}` : words}
            </button>
          ))}
        </nav>
      )}
      <span className="spring" />
      {children}
      <span className="reader">{`${reader.name} (${reader.roles.join(", ")})`}</span>
      <select aria-label="Theme" value={theme[0]} onChange={(event) => { theme[1](event.target.value as Theme); }}>
        {Object.entries(THEMES).map(([name, words]) => <option key={name} value={name}>{words}</option>)}
      </select>
      <button type="button" onClick={() => { setHelp(true); }}>Keys</button>
      {help && <KeyHelp onClose={() => { setHelp(false); }} />}
      {reader.csrf_token !== null && <button type="button" onClick={() => { setAsksPassword(true); }}>Password…</button>}
      {asksPassword && <PasswordDialog onClose={() => { setAsksPassword(false); }} />}
      <button type="button" onClick={onLogout}>Log out</button>
    </header>
  );
}
