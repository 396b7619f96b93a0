import "./console.css";

import { Badge } from "antd";
import { type ReactNode, useEffect, useState } from "react";
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
import { look, showOverCall, useIncidentsView } from "../features/incidents/store";
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
const SIDE_TITLES = { incident: "incident.title", invitations: "invitation.title", conduct: "conduct.title" } as const;

/** Beside the wall: the incident that is open, who was called, or who is in and what he may. */
function CallSide({ conference, mayDirect }: { conference: ConferenceId; mayDirect: boolean }) {
  const { t } = useTranslation();
  const incident = useIncidentInView();
  const over = useIncidentsView((view) => view.overCall);
  const [page, setPage] = useState<"invitations" | "conduct">("invitations");
  // Whoever starts a call from a dossier goes on in it.
  useEffect(() => showOverCall(true), []);
  const shown = incident !== null && over ? "incident" : page;
  const show = (next: typeof page) => {
    setPage(next);
    showOverCall(false);
  };
  const known = useReplica((replica) => replica.conferences.get(conference));
  const participants = useReplica((replica) => replica.participants);
  const waiting = waitingOf(known, rosterOf(participants, conference));
  return (
    <aside className="console-right" data-incident={shown === "incident"} aria-label={t(SIDE_TITLES[shown])}>
      <div className="console-tabs" role="group" aria-label={t("conduct.title")}>
        {incident !== null && (
          <button type="button" aria-pressed={shown === "incident"} data-testid="tab-incident" onClick={() => showOverCall(true)}>
            {t("incident.tabIncidents")}
          </button>
        )}
        <button type="button" aria-pressed={shown === "invitations"} data-testid="tab-invitations" onClick={() => show("invitations")}>
          {t("invitation.title")}
        </button>
        <button type="button" aria-pressed={shown === "conduct"} data-testid="tab-conduct" onClick={() => show("conduct")}>
          {t("conduct.title")}
          <Badge count={waiting} title={t("conduct.waitingCount", { count: waiting })} />
        </button>
      </div>
      <div className="call-side-page">
        {shown === "incident" ? (
          incident
        ) : shown === "invitations" ? (
          <InvitationBoard conference={conference} mayCallAbsent={mayDirect} />
        ) : (
          <ConductPanel conference={conference} mayDirect={mayDirect} />
        )}
      </div>
    </aside>
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
          <div className="own-words">
            <OwnState conference={conference} />
            <OwnNotices conference={conference} />
          </div>
          <CallControls conference={conference} size="desk" onDevices={onDevices} />
        </footer>
      </main>
      <CallSide conference={conference} mayDirect={mayDirect} />
      <CallSound />
    </>
  );
}
