import { App } from "antd";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";

import { onTalkNews, talkStore } from "../../protocol/talk";

const SHOWN_S = 8;

/** Tells the speaker who was put out of a group: the group, and its line that says why, are gone from the page. */
export function PutOut() {
  const { t } = useTranslation();
  const { message } = App.useApp();
  useEffect(
    () =>
      onTalkNews((news) => {
        if (news.type !== "standing" || news.standing.type !== "silent" || news.standing.cause !== "notAllowed") return;
        const name = talkStore.getState().groups.get(news.group)?.group.plan.name;
        void message.warning(name === undefined ? t("talk.cause.notAllowed") : t("talk.putOut", { name }), SHOWN_S);
      }),
    [message, t],
  );
  return null;
}
