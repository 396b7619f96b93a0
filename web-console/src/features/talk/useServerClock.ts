import { useReplica } from "../../protocol/client";
import { useNow } from "../../ui/useNow";

/** The server's clock, by which talks are timed. */
export function useServerClock(everyMs = 1000): number {
  const offset = useReplica((replica) => replica.clockOffsetMs);
  return useNow(everyMs) + offset;
}
