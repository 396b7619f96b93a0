import { App } from "antd";
import { useCallback, useState } from "react";
import { useTranslation } from "react-i18next";

import { failureKey } from "../protocol/errors";

/** Runs an order, shows why it failed, and says while it runs. */
export function useAttempt(): { busy: boolean; attempt: (run: () => Promise<unknown>, done?: string) => void } {
  const { message } = App.useApp();
  const { t } = useTranslation();
  const [running, setRunning] = useState(0);
  const attempt = useCallback(
    (run: () => Promise<unknown>, done?: string) => {
      setRunning((count) => count + 1);
      run()
        // The words are not waited for: they end when they are gone from the page, long after the order.
        .then(() => {
          if (done !== undefined) void message.success(done);
        })
        .catch((error: unknown) => {
          void message.error(t(failureKey(error)));
        })
        .finally(() => setRunning((count) => count - 1));
    },
    [message, t],
  );
  return { busy: running > 0, attempt };
}
