import { NotificationOutlined, OrderedListOutlined } from "@ant-design/icons";
import { Button, Dropdown } from "antd";
import { useTranslation } from "react-i18next";

import { conduct, useReplica } from "../../protocol/client";
import type { Conduct } from "../../protocol/generated/Conduct";
import type { Conference } from "../../protocol/generated/Conference";
import { useShortName } from "../../ui/siteName";
import { useAttempt } from "../../ui/useAttempt";
import { CarouselStart } from "./CarouselStart";

/** So long a member has to come when the roll is called. */
const ANSWER_S = 30;

/** Roll call, broadcast, carousel: what the one who conducts starts for all, and ends. */
export function Direction({ conference }: { conference: Conference }) {
  const { t } = useTranslation();
  const { attempt, busy } = useAttempt();
  const { id, carousel, roll } = conference;
  const order = (step: Conduct) => attempt(() => conduct(id, step));
  const inSpotlight = useNameInSpotlight(conference);
  const label = (testId: string, text: string) => <span data-testid={testId}>{text}</span>;
  return (
    <div className="direction">
      <div className="direction-row">
        <Dropdown
          trigger={["click"]}
          disabled={busy || (roll !== null && roll.endedAtMs === null)}
          menu={{
            items: [
              { key: "parallel", label: label("roll-parallel", t("conduct.roll.parallel")) },
              { key: "inOrder", label: label("roll-in-order", t("conduct.roll.inOrder")) },
            ],
            onClick: ({ key }) => order({ type: "startRoll", order: key === "inOrder" ? "inOrder" : "parallel", answerS: ANSWER_S }),
          }}
        >
          <Button icon={<OrderedListOutlined aria-hidden />} data-testid="roll-call">
            {t("conduct.roll.title")}
          </Button>
        </Dropdown>
        <Dropdown
          trigger={["click"]}
          disabled={busy}
          menu={{
            items: [
              { key: "own", label: label("broadcast-own", t("conduct.address.own")) },
              { key: "township", label: label("broadcast-township", t("conduct.address.tier", { tier: t("tier.township") })) },
              { key: "community", label: label("broadcast-community", t("conduct.address.tier", { tier: t("tier.community") })) },
            ],
            onClick: ({ key }) => order({ type: "broadcast", tier: key === "township" || key === "community" ? key : null }),
          }}
        >
          <Button icon={<NotificationOutlined aria-hidden />} data-testid="broadcast">
            {t("conduct.address.broadcast")}
          </Button>
        </Dropdown>
      </div>
      {carousel === null && <CarouselStart conference={id} />}
      <Addressing conference={conference} />
      {carousel !== null && (
        <div className="direction-now" data-testid="carousel" data-paused={carousel.paused}>
          <span>{t("conduct.carousel.now", { name: inSpotlight, seconds: carousel.intervalS })}</span>
          <Button size="small" disabled={busy} data-testid="carousel-pause" onClick={() => order({ type: "pauseCarousel", paused: !carousel.paused })}>
            {t(carousel.paused ? "conduct.carousel.resume" : "conduct.carousel.pause")}
          </Button>
          <Button size="small" disabled={busy} data-testid="carousel-next" onClick={() => order({ type: "nextInCarousel" })}>
            {t("conduct.next")}
          </Button>
          <Button size="small" danger disabled={busy} data-testid="carousel-stop" onClick={() => order({ type: "stopCarousel" })}>
            {t("conduct.stop")}
          </Button>
        </div>
      )}
    </div>
  );
}

/** Who speaks to all at present. */
function Addressing({ conference }: { conference: Conference }) {
  const { t } = useTranslation();
  const { attempt, busy } = useAttempt();
  const participants = useReplica((replica) => replica.participants);
  const shorten = useShortName();
  const { id, address } = conference;
  if (address === null) return null;
  const order = (step: Conduct) => attempt(() => conduct(id, step));
  const text =
    address.type === "named"
      ? t("conduct.address.namedNow", { name: shorten(participants.get(address.participant)?.name ?? "") })
      : address.tier === null
        ? t("conduct.address.ownNow")
        : t("conduct.address.tierNow", { tier: t(`tier.${address.tier}`) });
  return (
    <div className="direction-now" data-testid="address" data-type={address.type}>
      <span>{text}</span>
      {address.type === "named" && (
        <Button size="small" disabled={busy} data-testid="address-next" onClick={() => order({ type: "nextSpeaker" })}>
          {t("conduct.next")}
        </Button>
      )}
      <Button size="small" danger disabled={busy} data-testid="address-end" onClick={() => order({ type: "endAddress" })}>
        {t("conduct.stop")}
      </Button>
    </div>
  );
}

function useNameInSpotlight(conference: Conference): string {
  const participants = useReplica((replica) => replica.participants);
  const shorten = useShortName();
  const one = conference.spotlight === null ? undefined : participants.get(conference.spotlight);
  return one === undefined ? "—" : shorten(one.name);
}
