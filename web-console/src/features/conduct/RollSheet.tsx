import { AudioMutedOutlined, AudioOutlined, DownloadOutlined, VideoCameraOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { useTranslation } from "react-i18next";

import { conduct } from "../../protocol/client";
import type { ConferenceId } from "../../protocol/generated/ConferenceId";
import type { Roll } from "../../protocol/generated/Roll";
import { CameraOffIcon } from "../../ui/CameraOffIcon";
import { useShortName } from "../../ui/siteName";
import { useAttempt } from "../../ui/useAttempt";
import { csvOf, saveCsv } from "./csv";
import { countsOf, rowsOf, stateIn } from "./sheet";

type Props = { conference: ConferenceId; roll: Roll; mayDirect: boolean; onClose: () => void };

/** The sheet of the roll call, while it is called and after. */
export function RollSheet({ conference, roll, mayDirect, onClose }: Props) {
  const { t } = useTranslation();
  const { attempt, busy } = useAttempt();
  const shorten = useShortName();
  const counts = countsOf(roll);
  const goesOn = roll.endedAtMs === null;

  function save() {
    const head = ["name", "code", "state", "late", "sound", "picture"].map((column) =>
      t(`conduct.roll.column.${column as "name"}`),
    );
    const words = {
      state: (state: ReturnType<typeof stateIn>) => t(`conduct.roll.state.${state}`),
      received: (received: boolean) => t(received ? "conduct.roll.received" : "conduct.roll.notReceived"),
    };
    const day = dayAndTime(new Date(roll.startedAtMs));
    saveCsv(`${t("conduct.roll.title")}-${day}.csv`, csvOf(rowsOf(roll, head, words)));
  }

  return (
    <section className="roll" aria-label={t("conduct.roll.title")} data-testid="roll" data-ended={!goesOn}>
      <header>
        <h3>{t("conduct.roll.title")}</h3>
        <span className="ld-number" data-testid="roll-counts">
          {t("conduct.roll.counts", counts)}
        </span>
      </header>
      <ul>
        {roll.entries.map((entry) => (
          <li key={entry.code} className="roll-line" data-testid={`roll-${entry.code}`} data-state={stateIn(roll, entry)} data-sound={entry.sound} data-picture={entry.picture}>
            <span className="party-name" title={entry.name}>
              {shorten(entry.name)}
            </span>
            <span className="roll-state">
              {t(`conduct.roll.state.${stateIn(roll, entry)}`)}
              {entry.lateMs !== null && ` ${t("conduct.roll.lateBy", { seconds: Math.ceil(entry.lateMs / 1_000) })}`}
            </span>
            <span className="party-signs" title={t("conduct.roll.receivedHint")}>
              {entry.sound ? <AudioOutlined aria-label={t("conduct.roll.soundReceived")} /> : <AudioMutedOutlined aria-label={t("conduct.roll.noSound")} />}
              {entry.picture ? <VideoCameraOutlined aria-label={t("conduct.roll.pictureReceived")} /> : <CameraOffIcon />}
            </span>
          </li>
        ))}
      </ul>
      <footer>
        {goesOn && mayDirect && (
          <Button size="small" danger disabled={busy} data-testid="roll-stop" onClick={() => attempt(() => conduct(conference, { type: "stopRoll" }))}>
            {t("conduct.roll.stop")}
          </Button>
        )}
        <Button size="small" icon={<DownloadOutlined aria-hidden />} data-testid="roll-export" onClick={save}>
          {t("conduct.roll.export")}
        </Button>
        {!goesOn && (
          <Button size="small" data-testid="roll-close" onClick={onClose}>
            {t("conduct.roll.close")}
          </Button>
        )}
      </footer>
    </section>
  );
}

/** Of the clock on this wall, for the name of a file. */
function dayAndTime(at: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}-${two(at.getHours())}${two(at.getMinutes())}`;
}
