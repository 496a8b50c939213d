// Made by `make words` from analytics/base/catalogues/de.po.
window.footfall = {...window.footfall, words: {
  "Active people per minute over the last {minutes} minutes: from {first} to {last}": "Aktive Personen pro Minute in den letzten {minutes} Minuten: von {first} bis {last}",
  "Active people per minute: nothing known yet": "Aktive Personen pro Minute: noch nichts bekannt",
  "Copied": "Kopiert",
  "Download as PNG": "Als PNG herunterladen",
  "Download as SVG": "Als SVG herunterladen",
  "Downloaded": "Heruntergeladen",
  "Loading the figure …": "Das Diagramm wird geladen …",
  "Making the picture …": "Das Bild wird erstellt …",
  "No answer. Reload the page to see whether it was saved.": "Keine Antwort. Lade die Seite neu, um zu sehen, ob gespeichert wurde.",
  "Not saved": "Nicht gespeichert",
  "Not saved: the server refused it. Reload the page to see why.": "Nicht gespeichert: Der Server hat es abgelehnt. Lade die Seite neu, um zu sehen, warum.",
  "Reset": "Zurücksetzen",
  "Saved at {time}": "Gespeichert um {time}",
  "Saving…": "Wird gespeichert…",
  "The figure could not be loaded.": "Das Diagramm konnte nicht geladen werden.",
  "The picture could not be made.": "Das Bild konnte nicht erstellt werden.",
  "Try again": "Erneut versuchen",
  "Zoom in": "Vergrößern",
  "Zoom out": "Verkleinern"
}, plural: (n) => Number(n !== 1)};
