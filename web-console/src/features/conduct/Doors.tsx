import "./conduct.css";

import { EyeOutlined, LoginOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { conduct, enter, useReplica } from "../../protocol/client";
import type { Conference } from "../../protocol/generated/Conference";
import type { Door } from "../../protocol/generated/Door";
import { ReasonDialog } from "../../ui/ReasonDialog";
import { useAttempt } from "../../ui/useAttempt";
import { useTitle } from "../../ui/useTitle";

const PRESETS = ["check", "situation"] as const;

/** Calls that go on without us: those we may come into, and those that we oversee. Nothing where there are none. */
export function Doors() {
  const { t } = useTranslation();
  const doors = useReplica((replica) => replica.doors);
  const conferences = useReplica((replica) => replica.conferences);
  const overseen = useMemo(() => {
    const known = new Set(doors.map((door) => door.conference));
    return [...conferences.values()].filter((one) => one.state === "live" && !known.has(one.id));
  }, [conferences, doors]);
  if (doors.length + overseen.length === 0) return null;
  return (
    <section className="doors" aria-label={t("conduct.doors")} data-testid="doors">
      <h2>{t("conduct.doors")}</h2>
      <ul>
        {doors.map((door) => (
          <DoorLine key={door.conference} door={door} />
        ))}
        {overseen.map((one) => (
          <OverseenLine key={one.id} conference={one} />
        ))}
      </ul>
    </section>
  );
}

function DoorLine({ door }: { door: Door }) {
  const { t } = useTranslation();
  const { attempt, busy } = useAttempt();
  const { conference, state } = door;
  return (
    <li className="door" data-testid={`door-${conference}`} data-state={state}>
      <span className="door-title">{door.title === "" ? door.fromSiteName : door.title}</span>
      <span className="door-state">{t(`conduct.door.${state}`)}</span>
      {state === "knocking" ? (
        <Button disabled={busy} data-testid={`withdraw-${conference}`} onClick={() => attempt(() => conduct(conference, { type: "withdraw" }))}>
          {t("conduct.withdraw")}
        </Button>
      ) : (
        (state === "open" || state === "lobby") && (
          <Button
            type="primary"
            icon={<LoginOutlined aria-hidden />}
            disabled={busy}
            data-testid={`enter-${conference}`}
            onClick={() => attempt(() => enter(conference, { type: "enter" }))}
          >
            {t(state === "open" ? "conduct.enter" : "conduct.knock")}
          </Button>
        )
      )}
    </li>
  );
}

/** A call of our subtree: listen in as all see, or break in with a reason. */
function OverseenLine({ conference }: { conference: Conference }) {
  const { t } = useTranslation();
  const { attempt, busy } = useAttempt();
  const me = useReplica((replica) => replica.me);
  const participants = useReplica((replica) => replica.participants);
  const title = useTitle(conference);
  const [asked, setAsked] = useState<"breakIn" | "observe" | null>(null);
  const { id } = conference;
  const parties = [...participants.values()].filter((one) => one.conference === id && one.state === "in").length;
  // The server has the last word; who only listens has no word in it anyway.
  const commands = me.role !== "supervisor" && me.role !== "administrator" && conference.calledBySite !== me.site;
  return (
    <li className="door" data-testid={`overseen-${id}`}>
      <span className="door-title">{title}</span>
      <span className="door-state">
        {t(`conference.kind.${conference.kind}`)} · {t("conference.parties", { count: parties })}
      </span>
      <span className="door-actions">
        {me.role !== "field" && (
          <Button
            icon={<EyeOutlined aria-hidden />}
            disabled={busy}
            data-testid={`observe-${id}`}
            onClick={() => setAsked("observe")}
          >
            {t("conduct.observe")}
          </Button>
        )}
        {commands && (
          <Button danger disabled={busy} data-testid={`break-in-${id}`} onClick={() => setAsked("breakIn")}>
            {t("conduct.breakIn")}
          </Button>
        )}
      </span>
      {asked !== null && (
        <ReasonDialog
          title={t(asked === "breakIn" ? "conduct.breakInTitle" : "conduct.observeTitle", { title })}
          action={t(`conduct.${asked}`)}
          danger={asked === "breakIn"}
          presets={asked === "observe" ? PRESETS.map((preset) => t(`conduct.observeReasons.${preset}`)) : []}
          testId={asked === "breakIn" ? "break-in" : "observe"}
          onClose={() => setAsked(null)}
          onReason={(reason) => attempt(() => enter(id, { type: asked === "breakIn" ? "enter" : "observe", reason }))}
        />
      )}
    </li>
  );
}
