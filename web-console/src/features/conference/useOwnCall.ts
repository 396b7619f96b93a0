import { useMemo } from "react";

import { useReplica } from "../../protocol/client";
import type { Conference } from "../../protocol/generated/Conference";
import type { ConferenceId } from "../../protocol/generated/ConferenceId";
import type { Participant } from "../../protocol/generated/Participant";
import { isPresent } from "../../protocol/replica";

export type OwnCall = {
  conference: Conference | undefined;
  me: Participant | undefined;
  /** Parties in the call, the own one too. */
  parties: number;
  /** Called into a higher call; they come back. */
  held: number;
  /** Rings that still wait for an answer. */
  ringing: number;
  mayDirect: boolean;
  /** May end it for all: co-chairs may not. */
  mayEnd: boolean;
};

/** The call as its controls need to know it. */
export function useOwnCall(id: ConferenceId): OwnCall {
  const conference = useReplica((replica) => replica.conferences.get(id));
  const participants = useReplica((replica) => replica.participants);
  const invitations = useReplica((replica) => replica.invitations);
  const own = useReplica((replica) => replica.ownParticipant);
  const sites = useReplica((replica) => replica.sites);
  return useMemo(() => {
    const me = own === null ? undefined : participants.get(own);
    const chair = conference?.chair == null ? undefined : participants.get(conference.chair);
    let parties = 0;
    let held = 0;
    for (const one of participants.values()) {
      if (one.conference !== id) continue;
      if (isPresent(one)) parties += 1;
      else if (one.state === "held") held += 1;
    }
    let ringing = 0;
    for (const one of invitations.values()) {
      if (one.conference === id && (one.state === "ringing" || one.state === "queued")) ringing += 1;
    }
    // Whoever stands above the chair's site directs the call, too.
    const above = chair !== undefined && chair.id !== own && sites.get(chair.site)?.commanded === true;
    const mayEnd = me?.role === "chair" || above;
    return { conference, me, parties, held, ringing, mayDirect: mayEnd || me?.role === "coChair", mayEnd };
  }, [id, conference, participants, invitations, own, sites]);
}
