import "./talk.css";

import { WarningFilled } from "@ant-design/icons";
import { Button, Input, Modal } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { order, useReplica } from "../../protocol/client";
import type { AlarmTruth } from "../../protocol/generated/AlarmTruth";
import type { GroupSos } from "../../protocol/generated/GroupSos";
import type { TalkGroup } from "../../protocol/generated/TalkGroup";
import { clockOf } from "../../ui/time";
import { useAttempt } from "../../ui/useAttempt";
import { useGroups } from "./groups";
import { useServerClock } from "./useServerClock";

/** Every alarm that nobody has cancelled, over whatever page is shown. */
export function SosBanner() {
  const alarms = useGroups().flatMap(({ group }) => group.sos.map((sos) => ({ group, sos })));
  return (
    <>
      {alarms.map(({ group, sos }) => (
        <Alarm key={`${group.id} ${sos.account}`} group={group} sos={sos} />
      ))}
    </>
  );
}

function Alarm({ group, sos }: { group: TalkGroup; sos: GroupSos }) {
  const { t } = useTranslation();
  const me = useReplica((replica) => replica.me.account);
  const since = useServerClock() - sos.atMs;
  const [asking, setAsking] = useState(false);
  const mayCancel = group.commanded || sos.account === me;
  return (
    <div className="sos-banner" role="alert" data-testid={`sos-${group.id}`} data-kind={sos.kind}>
      <WarningFilled aria-hidden />
      <div>
        <strong>{t(`talk.alarm.${sos.kind}`, { name: sos.name })}</strong>
        <span className="ld-number">
          {group.plan.name} · {clockOf(Math.max(0, since))}
          {sos.place !== null && ` · ${sos.place.longitude.toFixed(5)}, ${sos.place.latitude.toFixed(5)}`}
        </span>
      </div>
      {mayCancel && (
        <Button ghost data-testid={`sos-cancel-${group.id}`} onClick={() => setAsking(true)}>
          {t("talk.cancelAlarm")}
        </Button>
      )}
      {asking && <CancelDialog group={group} sos={sos} onClose={() => setAsking(false)} />}
    </div>
  );
}

function CancelDialog({ group, sos, onClose }: { group: TalkGroup; sos: GroupSos; onClose: () => void }) {
  const { t } = useTranslation();
  const { attempt, busy } = useAttempt();
  const [text, setText] = useState("");

  function cancel(truth: AlarmTruth) {
    attempt(async () => {
      await order({ type: "talk", order: { type: "cancelSos", group: group.id, who: sos.account, truth, text: text.trim() } });
      onClose();
    });
  }

  return (
    <Modal
      open
      title={t("talk.cancelTitle", { name: sos.name })}
      onCancel={onClose}
      footer={
        <>
          <Button loading={busy} data-testid="sos-false" onClick={() => cancel("false")}>
            {t("talk.falseAlarm")}
          </Button>
          <Button type="primary" loading={busy} data-testid="sos-true" onClick={() => cancel("true")}>
            {t("talk.trueAlarm")}
          </Button>
        </>
      }
    >
      <p className="sos-question">{t("talk.cancelQuestion")}</p>
      <Input.TextArea value={text} maxLength={200} rows={2} placeholder={t("talk.cancelText")} onChange={(event) => setText(event.target.value)} />
    </Modal>
  );
}
