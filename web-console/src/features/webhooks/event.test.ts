import { createInstance } from "i18next";
import { expect, test } from "vitest";

import zhCN from "../../i18n/zh-CN.json";
import { eventWords } from "./event";

const i18n = createInstance();
void i18n.init({ lng: "zh-CN", resources: { "zh-CN": { translation: zhCN } }, initAsync: false });

test("an event is said in the user's language, one of a newer server by its name on the wire", () => {
  expect(eventWords(i18n.t, "incident.planStarted")).toBe("启动预案");
  expect(eventWords(i18n.t, "incident.evaporated")).toBe("incident.evaporated");
});
