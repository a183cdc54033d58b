import { useEffect, useRef } from "react";

/** A workstation left alone this long shows no patient any more, in ms (the session's own idle limit). */
const IDLE = 15 * 60_000;
const SIGNS = ["pointerdown", "pointermove", "keydown", "wheel"] as const;

/** Calls `onIdle` once when nobody has touched mouse or keyboard for 15 minutes. */
export function useIdleLogout(onIdle: () => void): void {
  const latest = useRef(onIdle);
  useEffect(() => {
    latest.current = onIdle;
  });
  useEffect(() => {
    let timer = 0;
    const restart = () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(() => { latest.current(); }, IDLE);
    };
    restart();
    for (const sign of SIGNS) window.addEventListener(sign, restart, { passive: true });
    return () => {
      window.clearTimeout(timer);
      for (const sign of SIGNS) window.removeEventListener(sign, restart);
    };
  }, []);
}
