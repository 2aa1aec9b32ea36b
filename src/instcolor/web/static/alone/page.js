// The page without a server: what it does not offer is not shown, and it is kept for visits without a connection.

import { learn } from "../words.js";
import { tables } from "./words.js";

const ABSENT = ["others", "alternatives", "reference", "corner", "gps"]; // ids; of an input its label goes with it
const FORMATS = ["", "JPEG", "PNG"]; // that are written here

learn(tables);

/** Makes the page what it is here; before it has its words. */
export function fit() {
  for (const id of ABSENT) {
    const element = document.getElementById(id);
    (element.closest("label") ?? element).hidden = true;
  }
  for (const option of [...document.getElementById("format").options]) {
    if (!FORMATS.includes(option.value)) option.remove();
  }
  // only over HTTPS, or from this machine; elsewhere the page works, but not without a connection
  navigator.serviceWorker?.register(new URL("../../service.js", import.meta.url)).catch(() => {});
}
