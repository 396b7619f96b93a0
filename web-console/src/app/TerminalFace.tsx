import "./terminal-face.css";

import { SettingOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { CallControls } from "../features/conference/CallControls";
import { CallStatus } from "../features/conference/CallStatus";
import { OwnNotices, SelfView } from "../features/conference/SelfView";
import { WaitingForAnswer } from "../features/conference/WaitingForAnswer";
import { DeviceCheck } from "../features/devices/DeviceCheck";
import { RingScreen } from "../features/ringing/RingScreen";
import { IdleScreen } from "../features/terminal/IdleScreen";
import { Wall } from "../features/wall/Wall";
import { CallSound } from "../media/Streams";
import { useReplica } from "../protocol/client";
import { LanguageSwitch } from "../ui/LanguageSwitch";
import { useWakeLock } from "../ui/useWakeLock";
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
  return (
    <div className="terminal">
      {conference === null ? (
        <IdleScreen
          corner={
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
          }
        />
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
          <footer>
            <SelfView />
            <CallControls conference={conference} size="room" onDevices={openDevices} />
            <OwnNotices conference={conference} />
          </footer>
          <CallSound />
        </main>
      )}
      <RingScreen shape={inCall ? "banner" : "screen"} />
      <DeviceCheck open={devicesOpen} onClose={() => setDevicesOpen(false)} />
    </div>
  );
}
