import "./console.css";

import { Overview } from "../features/directory/Overview";
import { SiteTree } from "../features/directory/SiteTree";
import { InvitationBoard } from "../features/invitations/InvitationBoard";
import { RingScreen } from "../features/ringing/RingScreen";
import { useReplica } from "../protocol/client";
import { TopBar } from "./TopBar";

/** The face of a county's or township's commander. */
export function ConsoleFace() {
  const conference = useReplica((replica) => replica.ownConference);
  return (
    <div className="console" data-call={conference !== null}>
      <TopBar onDevices={() => undefined} />
      <aside className="console-left">
        <SiteTree />
      </aside>
      <main className="console-middle">{conference === null && <Overview />}</main>
      {conference !== null && (
        <aside className="console-right">
          <InvitationBoard conference={conference} />
        </aside>
      )}
      <RingScreen shape="banner" />
    </div>
  );
}
