import { useReplica } from "../../protocol/client";
import { useNow } from "../../ui/useNow";

/** The server's clock, which all times of incidents are told by. */
export function useServerNow(everyMs = 1000): number {
  const offset = useReplica((replica) => replica.clockOffsetMs);
  return useNow(everyMs) + offset;
}
