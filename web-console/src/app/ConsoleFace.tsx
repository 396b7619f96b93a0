import "./console.css";

import { useState } from "react";
import { useTranslation } from "react-i18next";

import { CallControls } from "../features/conference/CallControls";
import { CallStatus } from "../features/conference/CallStatus";
import { OwnNotices, SelfView } from "../features/conference/SelfView";
import { WaitingForAnswer } from "../features/conference/WaitingForAnswer";
import { useOwnCall } from "../features/conference/useOwnCall";
import { DeviceCheck } from "../features/devices/DeviceCheck";
import { Overview } from "../features/directory/Overview";
import { SiteTree } from "../features/directory/SiteTree";
import { InvitationBoard } from "../features/invitations/InvitationBoard";
import { RingScreen } from "../features/ringing/RingScreen";
import { Wall } from "../features/wall/Wall";
import { CallSound } from "../media/Streams";
import { useReplica } from "../protocol/client";
import type { ConferenceId } from "../protocol/generated/ConferenceId";
import { OverloadBanner } from "./OverloadBanner";
import { TopBar } from "./TopBar";

/** The face of a county's or township's commander. */
export function ConsoleFace() {
  const { t } = useTranslation();
  const conference = useReplica((replica) => replica.ownConference);
  const [devicesOpen, setDevicesOpen] = useState(false);
  const openDevices = () => setDevicesOpen(true);
  return (
    <div className="console" data-call={conference !== null}>
      <TopBar onDevices={openDevices}>{conference !== null && <CallStatus conference={conference} />}</TopBar>
      <aside className="console-left" aria-label={t("directory.title")}>
        <SiteTree />
      </aside>
      {conference === null ? (
        <main className="console-middle">
          <Overview />
        </main>
      ) : (
        <ConsoleCall key={conference} conference={conference} onDevices={openDevices} />
      )}
      <OverloadBanner />
      <RingScreen shape="banner" />
      <DeviceCheck open={devicesOpen} onClose={() => setDevicesOpen(false)} />
    </div>
  );
}

function ConsoleCall({ conference, onDevices }: { conference: ConferenceId; onDevices: () => void }) {
  const { t } = useTranslation();
  const { mayDirect } = useOwnCall(conference);
  return (
    <>
      <main className="console-middle">
        <div className="console-wall">
          <Wall conference={conference} />
          <WaitingForAnswer conference={conference} />
        </div>
        <footer className="console-bottom">
          <SelfView />
          <OwnNotices conference={conference} />
          <CallControls conference={conference} size="desk" onDevices={onDevices} />
        </footer>
      </main>
      <aside className="console-right" aria-label={t("invitation.title")}>
        <InvitationBoard conference={conference} mayCallAbsent={mayDirect} />
      </aside>
      <CallSound />
    </>
  );
}
