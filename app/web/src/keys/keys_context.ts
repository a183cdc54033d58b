import { createContext, useCallback, useContext } from "react";
import type { Place } from "./catalogue";
import { actsNear, keyInWords, keyOf, meaning, type Changes, type Pressed } from "./key_map";

interface Keys {
  changes: Changes;
  onChanges: (changes: Changes) => void;
}

export const KeysContext = createContext<Keys>({ changes: {}, onChanges: () => undefined });

export function useKeys(): Keys {
  return useContext(KeysContext);
}

/** What key presses mean in a place, with this reader's keys. */
export function useMeaning(place: Place): (pressed: Pressed) => string | undefined {
  const { changes } = useKeys();
  return useCallback((pressed) => meaning(pressed, place, changes), [place, changes]);
}

/** This reader's key of an act that is named by place and the page's own key; "" for none. */
export function useKeyOf(place: Place): (own: string) => string {
  const { changes } = useKeys();
  return useCallback((own) => {
    const act = actsNear(place).find((one) => one.key === own);
    return act === undefined ? own : keyOf(act, changes);
  }, [place, changes]);
}

/** What a button does and, in brackets, its key where it has one. */
export function useTitle(place: Place): (words: string, own: string) => string {
  const keyOfAct = useKeyOf(place);
  return useCallback((words, own) => {
    const key = keyOfAct(own);
    return key === "" ? words : `${words} (${keyInWords(key)})`;
  }, [keyOfAct]);
}
