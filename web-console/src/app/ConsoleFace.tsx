import "./console.css";

import { Badge } from "antd";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";

import { CallControls } from "../features/conference/CallControls";
import { CallStatus } from "../features/conference/CallStatus";
import { OwnNotices, SelfView } from "../features/conference/SelfView";
import { WaitingForAnswer } from "../features/conference/WaitingForAnswer";
import { useOwnCall } from "../features/conference/useOwnCall";
import { DeviceCheck } from "../features/devices/DeviceCheck";
import { Overview } from "../features/directory/Overview";
import { SiteTree } from "../features/directory/SiteTree";
import { DossierPanel } from "../features/incidents/DossierPanel";
import { IncidentList } from "../features/incidents/IncidentList";
import { NewCalls, useWaiting } from "../features/incidents/NewCalls";
import { ReportForm } from "../features/incidents/ReportForm";
import { look, useIncidentsView } from "../features/incidents/store";
import { ConductPanel } from "../features/conduct/ConductPanel";
import { Doors } from "../features/conduct/Doors";
import { OwnState } from "../features/conduct/OwnState";
import { rosterOf, waitingOf } from "../features/conduct/roster";
import { InvitationBoard } from "../features/invitations/InvitationBoard";
import { RingScreen } from "../features/ringing/RingScreen";
import { SosBanner } from "../features/talk/SosBanner";
import { TalkPanel } from "../features/talk/TalkPanel";
import { Wall } from "../features/wall/Wall";
import { CallSound } from "../media/Streams";
import { useReplica } from "../protocol/client";
import type { ConferenceId } from "../protocol/generated/ConferenceId";
import { JournalBanner } from "./JournalBanner";
import { OverloadBanner } from "./OverloadBanner";
import { TopBar } from "./TopBar";

/** The face of a county's or township's commander. */
export function ConsoleFace() {
  const { t } = useTranslation();
  const conference = useReplica((replica) => replica.ownConference);
  const [devicesOpen, setDevicesOpen] = useState(false);
  const openDevices = () => setDevicesOpen(true);
  const [left, setLeft] = useState<Left>("directory");
  const incident = useIncidentInView();
  return (
    <div className="console" data-call={conference !== null} data-left={left}>
      <TopBar onDevices={openDevices}>{conference !== null && <CallStatus conference={conference} />}</TopBar>
      <div className="console-notice">
        <JournalBanner />
        <SosBanner />
        <NewCalls dossierInView onLook={() => setLeft("incidents")} />
      </div>
      <aside className="console-left" aria-label={t(LEFT_TITLES[left])}>
        <LeftTabs shown={left} onShow={setLeft} />
        <div className="console-left-page">{left === "directory" ? <SiteTree /> : left === "incidents" ? <IncidentList /> : <TalkPanel />}</div>
      </aside>
      {conference === null ? (
        <main className="console-middle">{incident ?? <Overview extra={<Doors />} />}</main>
      ) : (
        <ConsoleCall key={conference} conference={conference} onDevices={openDevices} />
      )}
      <OverloadBanner />
      <RingScreen shape="banner" />
      <DeviceCheck open={devicesOpen} onClose={() => setDevicesOpen(false)} />
    </div>
  );
}

type Left = "directory" | "incidents" | "talk";

const LEFT_TITLES = { directory: "directory.title", incidents: "incident.title", talk: "talk.title" } as const;

/** Beside the wall: who is in and what he may, or who was called. */
function CallSide({ conference, mayDirect }: { conference: ConferenceId; mayDirect: boolean }) {
  const { t } = useTranslation();
  const [shown, setShown] = useState<"invitations" | "conduct">("invitations");
  const known = useReplica((replica) => replica.conferences.get(conference));
  const participants = useReplica((replica) => replica.participants);
  const waiting = waitingOf(known, rosterOf(participants, conference));
  return (
    <div className="call-side">
      <div className="console-tabs" role="group" aria-label={t("conduct.title")}>
        <button type="button" aria-pressed={shown === "invitations"} data-testid="tab-invitations" onClick={() => setShown("invitations")}>
          {t("invitation.title")}
        </button>
        <button type="button" aria-pressed={shown === "conduct"} data-testid="tab-conduct" onClick={() => setShown("conduct")}>
          {t("conduct.title")}
          <Badge count={waiting} title={t("conduct.waitingCount", { count: waiting })} />
        </button>
      </div>
      <div className="call-side-page">
        {shown === "invitations" ? (
          <InvitationBoard conference={conference} mayCallAbsent={mayDirect} />
        ) : (
          <ConductPanel conference={conference} mayDirect={mayDirect} />
        )}
      </div>
    </div>
  );
}


/** What the left column shows; how many incidents wait is told on either side. */
function LeftTabs({ shown, onShow }: { shown: Left; onShow: (left: Left) => void }) {
  const { t } = useTranslation();
  const waiting = useWaiting();
  return (
    <div className="console-tabs" role="group" aria-label={t("incident.title")}>
      <button type="button" aria-pressed={shown === "directory"} data-testid="tab-directory" onClick={() => onShow("directory")}>
        {t("incident.tabDirectory")}
      </button>
      <button type="button" aria-pressed={shown === "incidents"} data-testid="tab-incidents" onClick={() => onShow("incidents")}>
        {t("incident.tabIncidents")}
        <Badge count={waiting} title={t("incident.waitingCount", { count: waiting })} />
      </button>
      <button type="button" aria-pressed={shown === "talk"} data-testid="tab-talk" onClick={() => onShow("talk")}>
        {t("talk.tab")}
      </button>
    </div>
  );
}

/** The report that is being written, or the dossier that is open. */
function useIncidentInView(): ReactNode {
  const reporting = useIncidentsView((view) => view.reporting);
  const open = useReplica((replica) => replica.open !== null);
  if (reporting) return <ReportForm desk onReported={(incident) => void look(incident).catch(() => undefined)} />;
  return open ? <DossierPanel /> : null;
}

function ConsoleCall({ conference, onDevices }: { conference: ConferenceId; onDevices: () => void }) {
  const { t } = useTranslation();
  const { mayDirect } = useOwnCall(conference);
  const incident = useIncidentInView();
  return (
    <>
      <main className="console-middle">
        <div className="console-wall">
          <Wall conference={conference} />
          <WaitingForAnswer conference={conference} />
        </div>
        <footer className="console-bottom">
          <SelfView />
          <div className="own-words">
            <OwnState conference={conference} />
            <OwnNotices conference={conference} />
          </div>
          <CallControls conference={conference} size="desk" onDevices={onDevices} />
        </footer>
      </main>
      <aside className="console-right" data-incident={incident !== null} aria-label={t(incident === null ? "invitation.title" : "incident.title")}>
        {incident ?? <CallSide conference={conference} mayDirect={mayDirect} />}
      </aside>
      <CallSound />
    </>
  );
}
