import "./terminal-face.css";

import { AlertFilled, ArrowLeftOutlined, SettingOutlined } from "@ant-design/icons";
import { Badge, Button } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { CallControls } from "../features/conference/CallControls";
import { CallStatus } from "../features/conference/CallStatus";
import { OwnNotices, SelfView } from "../features/conference/SelfView";
import { WaitingForAnswer } from "../features/conference/WaitingForAnswer";
import { Doors } from "../features/conduct/Doors";
import { OwnState } from "../features/conduct/OwnState";
import { DeviceCheck } from "../features/devices/DeviceCheck";
import { FieldIncidents } from "../features/incidents/FieldIncidents";
import { IncidentsOverCall } from "../features/incidents/IncidentsOverCall";
import { NewCalls, useWaiting } from "../features/incidents/NewCalls";
import { showPage, startReport, useIncidentsView } from "../features/incidents/store";
import { RingScreen } from "../features/ringing/RingScreen";
import { SosBanner } from "../features/talk/SosBanner";
import { IdleScreen } from "../features/terminal/IdleScreen";
import { Wall } from "../features/wall/Wall";
import { CallSound } from "../media/Streams";
import { useReplica } from "../protocol/client";
import { LanguageSwitch } from "../ui/LanguageSwitch";
import { useWakeLock } from "../ui/useWakeLock";
import { JournalBanner } from "./JournalBanner";
import { AccountMenu, LinkState } from "./TopBar";

/** The face of a site's room: rung loudly, used from a distance. */
export function TerminalFace() {
  const { t } = useTranslation();
  const conference = useReplica((replica) => replica.ownConference);
  const inCall = conference !== null;
  // A room's screen that sleeps shows neither a ring nor the call.
  useWakeLock(true);
  const [devicesOpen, setDevicesOpen] = useState(false);
  const openDevices = () => setDevicesOpen(true);
  const incidents = useIncidentsView((view) => view.page);
  const corner = (
    <>
      <LinkState />
      <LanguageSwitch />
      <Button
        type="text"
        icon={<SettingOutlined aria-hidden />}
        aria-label={t("devices.open")}
        data-testid="open-devices"
        onClick={openDevices}
      />
      <AccountMenu />
    </>
  );
  return (
    <div className="terminal">
      <JournalBanner />
      <SosBanner />
      {conference === null ? (
        incidents ? (
          <main className="terminal-incidents">
            <header>
              <Button
                size="large"
                icon={<ArrowLeftOutlined aria-hidden />}
                data-testid="incidents-leave"
                onClick={() => showPage(false)}
              >
                {t("incident.back")}
              </Button>
              <h1>{t("incident.title")}</h1>
              <div className="terminal-corner">{corner}</div>
            </header>
            <FieldIncidents />
          </main>
        ) : (
          <div className="terminal-at-rest">
            <NewCalls dossierInView={false} />
            <IdleScreen corner={corner} actions={<IncidentButtons />} />
            <div className="terminal-doors">
              <Doors />
            </div>
          </div>
        )
      ) : (
        <main className="terminal-call" key={conference}>
          <header>
            <CallStatus conference={conference} />
            <LinkState />
          </header>
          <div className="terminal-wall">
            <Wall conference={conference} />
            <WaitingForAnswer conference={conference} />
          </div>
          <IncidentsOverCall />
          <footer>
            <SelfView />
            <CallControls conference={conference} size="room" onDevices={openDevices} />
            <div className="own-words">
              <OwnState conference={conference} />
              <OwnNotices conference={conference} />
            </div>
          </footer>
          <CallSound />
        </main>
      )}
      <RingScreen shape={inCall ? "banner" : "screen"} />
      <DeviceCheck open={devicesOpen} onClose={() => setDevicesOpen(false)} />
    </div>
  );
}

function IncidentButtons() {
  const { t } = useTranslation();
  const waiting = useWaiting();
  return (
    <>
      <button type="button" className="idle-call idle-report" data-testid="start-report" onClick={startReport}>
        <AlertFilled aria-hidden />
        <span>{t("incident.report")}</span>
      </button>
      <button type="button" className="idle-call" data-testid="nav-incidents" onClick={() => showPage(true)}>
        <span>{t("incident.title")}</span>
        <Badge count={waiting} title={t("incident.waitingCount", { count: waiting })} />
      </button>
    </>
  );
}
