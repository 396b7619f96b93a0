import { useMemo } from "react";

import { useReplica } from "../../protocol/client";
import { useShortName } from "../../ui/siteName";
import type { Names } from "./whom";

/** Names as the own directory has them; what it does not know is shown as it is written. */
export function useNames(): Names {
  const sites = useReplica((replica) => replica.sites);
  const people = useReplica((replica) => replica.people);
  const shorten = useShortName();
  return useMemo(
    () => ({
      site: (code) => {
        const name = sites.get(code)?.name;
        return name === undefined ? code : shorten(name);
      },
      person: (account) => people.get(account)?.name ?? account,
    }),
    [sites, people, shorten],
  );
}
