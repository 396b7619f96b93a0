import "./overlays.css";

import { DisconnectOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";

import { linkStore, reconnectNow, useReplica } from "../protocol/client";
import { secondsLeft } from "../ui/time";
import { useNow } from "../ui/useNow";

/** A break shorter than this is not worth the alarm. */
const PATIENCE_MS = 400;

export function LostOverlay() {
  const offline = useStore(linkStore, (link) => link.phase !== "online");
  return offline ? <PatientlyLost /> : null;
}

function PatientlyLost() {
  const [shown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, []);
  return shown ? <Lost /> : null;
}

function Lost() {
  const { t } = useTranslation();
  const link = useStore(linkStore);
  const inCall = useReplica((replica) => replica.ownConference !== null);
  const now = useNow(250);
  return (
    <div className="lost" data-testid="lost-overlay" role="alert">
      <div className="lost-card">
        <DisconnectOutlined aria-hidden />
        <h2>{t("link.lostTitle")}</h2>
        <p className="ld-number">
          {link.phase === "waiting"
            ? t("link.lostIn", { seconds: secondsLeft(link.retryAtMs, now) })
            : t("link.lostTrying")}
        </p>
        {inCall && <p>{t("link.lostMedia")}</p>}
        <Button type="primary" disabled={link.phase !== "waiting"} onClick={reconnectNow}>
          {t("link.now")}
        </Button>
      </div>
    </div>
  );
}
