// A failure is an Error with a sentence for people, `status` and `code`.

import { knows, t } from "./words.js";

export class Failure extends Error {
  constructor(status, code, detail) {
    super(plain(code, detail));
    this.status = status;
    this.code = code;
  }
}

/** What sentences say of limits: megapixels of a photo, megabytes of a file. */
export const numbers = { pixels: 0, megabytes: 0 };

/** The page's own sentence for a code; the given one where it has none. */
export const plain = (code, detail) => (knows(code) ? t(code, numbers) : t("other", { why: detail }));
