import type { TFunction } from "i18next";

/** How long after a plan's start: `立即`, `5 分钟后`, `2 分 30 秒后`. */
export function offsetWords(t: TFunction, afterS: number): string {
  const minutes = Math.floor(afterS / 60);
  const seconds = afterS % 60;
  if (afterS === 0) return t("offset.atOnce");
  if (seconds === 0) return t("offset.minutes", { minutes });
  return minutes === 0 ? t("offset.seconds", { seconds }) : t("offset.both", { minutes, seconds });
}
