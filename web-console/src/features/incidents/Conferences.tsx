import { PhoneFilled, VideoCameraFilled } from "@ant-design/icons";
import { App, Button } from "antd";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";

import { accept, ringAbout, useReplica } from "../../protocol/client";
import type { ConferenceId } from "../../protocol/generated/ConferenceId";
import type { Dossier } from "../../protocol/generated/Dossier";
import { useAttempt } from "../../ui/useAttempt";
import { concerned } from "./concerned";
import { commands, isOpen } from "./rules";

type Props = {
  dossier: Dossier;
  /** Puts the call in place of the dossier. */
  onShowCall: () => void;
};

/** One tap calls all concerned; and what runs about the incident already. */
export function Conferences({ dossier, onShowCall }: Props) {
  const { t } = useTranslation();
  const { attempt, busy } = useAttempt();
  const { modal } = App.useApp();
  const me = useReplica((replica) => replica.me);
  const sites = useReplica((replica) => replica.sites);
  const people = useReplica((replica) => replica.people);
  const conferences = useReplica((replica) => replica.conferences);
  const own = useReplica((replica) => replica.ownConference);
  const { incident } = dossier;
  const { orders, questions } = useMemo(() => concerned(dossier, me, sites, people), [dossier, me, sites, people]);
  const count = orders.length + questions.length;
  const running = incident.conferences.filter((id) => conferences.has(id));
  const inIt = own !== null && incident.conferences.includes(own);
  function callAll() {
    const run = () => attempt(() => ringAbout(incident.id, incident.title, orders, questions));
    // One is in one call at a time; to leave another for this one is the user's word.
    if (own === null || inIt) run();
    else {
      modal.confirm({
        title: t("incident.leavesCall"),
        okText: <span data-testid="call-confirm">{t("incident.confirmOk")}</span>,
        cancelText: t("common.cancel"),
        onOk: run,
      });
    }
  }

  const may = isOpen(incident.state) && commands(me.role);
  return (
    <div className="incident-calls">
      {may && (
        <Button
          type="primary"
          size="large"
          className="incident-call-all"
          icon={<PhoneFilled aria-hidden />}
          disabled={count === 0}
          loading={busy}
          data-testid="call-concerned"
          onClick={callAll}
        >
          {count === 0 ? t("incident.callNobody") : inIt ? t("incident.callAbsent") : t("incident.callAllCount", { count })}
        </Button>
      )}
      {running.map((id) => (
        <Running key={id} conference={id} onShow={onShowCall} />
      ))}
    </div>
  );
}

function Running({ conference, onShow }: { conference: ConferenceId; onShow: () => void }) {
  const { t } = useTranslation();
  const { attempt, busy } = useAttempt();
  const own = useReplica((replica) => replica.ownConference === conference);
  const ring = useReplica((replica) => replica.rings.find((one) => one.conference === conference));
  const parties = useReplica((replica) => {
    let count = 0;
    for (const one of replica.participants.values()) if (one.conference === conference && one.state !== "left") count += 1;
    return count;
  });
  return (
    <div className="incident-conference" data-testid="incident-conference" data-own={own}>
      <VideoCameraFilled aria-hidden />
      <span className="ld-number">{t("incident.conferenceRunning", { count: parties })}</span>
      {own ? (
        <Button size="small" data-testid="incident-conference-show" onClick={onShow}>
          {t("incident.conferenceShow")}
        </Button>
      ) : ring === undefined ? (
        <small>{t("incident.conferenceOther")}</small>
      ) : (
        <Button
          size="small"
          type="primary"
          loading={busy}
          data-testid="incident-conference-join"
          onClick={() => attempt(() => accept(ring.invitation))}
        >
          {t("incident.conferenceJoin")}
        </Button>
      )}
    </div>
  );
}
