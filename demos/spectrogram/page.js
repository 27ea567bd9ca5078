// The spectrogram page: samples go to Python as fast as it takes them, columns of the picture come back.
import { $, failed, finish, startDemo } from "../../web/demo.js";
import { offerExport } from "../../web/takeaway.js";
import { allowHearing, begin } from "./hearing.js";

let pyml = null;
const size = () => Number($("window").value);
const takeaway = offerExport($("takeaway"), { name: "spectrogram", pack: (files) => pyml.call("export", files, size()) });
$("window").addEventListener("change", begin);

try {
  pyml = await startDemo({ modules: ["spectrogram.py"] });
  allowHearing((rate, top) => pyml.call("start", rate, size(), top), (samples) => pyml.call("listen", samples));
  takeaway.allow(true);
  finish();
} catch (error) {
  failed(error);
}
