// Times are stored in UTC and shown in the reader's own time.
import { moment } from "./language.js";

export function showTimes(place) {
  for (const element of place.querySelectorAll("time[datetime]")) {
    const time = new Date(element.dateTime);
    if (!Number.isNaN(time.getTime())) {
      element.title = element.dateTime;
      element.textContent = moment(time);
    }
  }
}
showTimes(document);
