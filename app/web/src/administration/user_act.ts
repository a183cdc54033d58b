import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { Http } from "../api/http";
import { useServices } from "../app_context";
import type { User } from "./types";

export const USERS = ["admin", "users"];

/** One act on a user; the list is read again after it, whether it came about or not. */
export function useUserAct<Asked>(act: (http: Http, asked: Asked) => Promise<User>, onDone: (user: User) => void) {
  const { client } = useServices();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (asked: Asked) => act(client.http, asked),
    onSuccess: onDone,
    onSettled: () => queries.invalidateQueries({ queryKey: USERS }),
  });
}
