import "./phone-face.css";

import { useTranslation } from "react-i18next";

import { CallControls } from "../features/conference/CallControls";
import { MediaState } from "../features/conference/CallStatus";
import { OwnNotices, SelfView } from "../features/conference/SelfView";
import { WaitingForAnswer } from "../features/conference/WaitingForAnswer";
import { SiteTree } from "../features/directory/SiteTree";
import { PhoneHome } from "../features/field/PhoneHome";
import { SpeakerLine } from "../features/field/SpeakerLine";
import { RingScreen } from "../features/ringing/RingScreen";
import { Wall } from "../features/wall/Wall";
import { CallSound } from "../media/Streams";
import { useReplica } from "../protocol/client";
import type { ConferenceId } from "../protocol/generated/ConferenceId";
import { LanguageSwitch } from "../ui/LanguageSwitch";
import { clockOf } from "../ui/time";
import { useTitle } from "../ui/useTitle";
import { useNow } from "../ui/useNow";
import { useWakeLock } from "../ui/useWakeLock";
import { OverloadBanner } from "./OverloadBanner";
import { AccountMenu, LinkState } from "./TopBar";

/** The face in a patrol member's hand. */
export function PhoneFace() {
  const conference = useReplica((replica) => replica.ownConference);
  const commands = useReplica((replica) => replica.me.role !== "field");
  useWakeLock(conference !== null);
  return (
    <div className="phone">
      {conference === null ? (
        <PhoneHome
          status={
            <>
              <LinkState />
              <LanguageSwitch />
            </>
          }
          menu={<AccountMenu />}
        >
          {commands ? <SiteTree /> : undefined}
        </PhoneHome>
      ) : (
        <main className="phone-in-call" key={conference}>
          <div className="phone-top">
            <PhoneStatus conference={conference} />
            <SelfView />
          </div>
          <div className="phone-wall">
            <Wall conference={conference} />
            <WaitingForAnswer conference={conference} />
          </div>
          <OwnNotices conference={conference} />
          {commands && <OverloadBanner />}
          <CallControls conference={conference} size="phone" />
          <CallSound />
        </main>
      )}
      <RingScreen shape={conference === null ? "screen" : "banner"} vibrate />
    </div>
  );
}

function PhoneStatus({ conference: id }: { conference: ConferenceId }) {
  const { t } = useTranslation();
  const conference = useReplica((replica) => replica.conferences.get(id));
  const title = useTitle(conference);
  const parties = useReplica((replica) => {
    let count = 0;
    for (const one of replica.participants.values()) if (one.conference === id && one.state !== "left") count += 1;
    return count;
  });
  const offset = useReplica((replica) => replica.clockOffsetMs);
  const now = useNow() + offset;
  return (
    <header className="phone-header">
      <h1>{title}</h1>
      <p className="ld-number">
        {conference !== undefined && clockOf(now - conference.startedAtMs)} · {t("field.parties", { count: parties })}
      </p>
      <SpeakerLine />
      <MediaState />
    </header>
  );
}
