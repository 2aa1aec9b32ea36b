// What the page says otherwise where there is no server, in each language.

const en = {
  stays: "Nothing leaves this browser: no server takes your photos. The first photo fetches the networks, once: {megabytes} MB in all. From then on the page works without a connection.",
  taken: "JPEG, PNG, WebP and BMP, up to {pixels} megapixels, with 8 bits a channel. Color profiles are read as this browser reads them; results are sRGB in JPEG or PNG, without the other metadata of the photo.",
  footnote: "The colors are a plausible guess, not a record; every result says so in its metadata. Photos stay in this tab and are gone with it.",
  sending: "Fetching the networks",
  sharpening: "Painting at full size…",
  networks: "The networks could not be fetched. With a connection, drop the photo again.",
  offline: "This does not work without a connection.",
  broken: "Something went wrong. Try again.",
  gone: "This photo is not here any more. Drop it again.",
  bad_photo: "This browser cannot read this file. JPEG, PNG, WebP and BMP it can.",
  too_many_pixels: "This scan has more than the {pixels} megapixels that this page takes.",
};

const de = {
  stays: "Nichts verlässt diesen Browser: Kein Server nimmt Ihre Fotos. Das erste Foto holt einmal die Netze: zusammen {megabytes} MB. Danach geht die Seite ohne Verbindung.",
  taken: "JPEG, PNG, WebP und BMP, bis {pixels} Megapixel, mit 8 Bit je Kanal. Farbprofile werden gelesen, wie dieser Browser sie liest; Ergebnisse sind sRGB in JPEG oder PNG, ohne die übrigen Metadaten des Fotos.",
  footnote: "Die Farben sind eine plausible Vermutung, kein Zeugnis; jedes Ergebnis sagt das in seinen Metadaten. Fotos bleiben in diesem Tab und gehen mit ihm.",
  sending: "Die Netze werden geholt",
  sharpening: "Volle Größe wird gemalt…",
  networks: "Die Netze konnten nicht geholt werden. Legen Sie das Foto mit einer Verbindung noch einmal ab.",
  offline: "Das geht nicht ohne Verbindung.",
  broken: "Etwas ist schiefgegangen. Versuchen Sie es noch einmal.",
  gone: "Dieses Foto ist nicht mehr da. Legen Sie es noch einmal ab.",
  bad_photo: "Dieser Browser kann diese Datei nicht lesen. JPEG, PNG, WebP und BMP kann er.",
  too_many_pixels: "Dieser Scan hat mehr als die {pixels} Megapixel, die diese Seite nimmt.",
};

const es = {
  stays: "Nada sale de este navegador: ningún servidor recibe sus fotos. La primera foto trae las redes, una sola vez: {megabytes} MB en total. Después la página funciona sin conexión.",
  taken: "JPEG, PNG, WebP y BMP, hasta {pixels} megapíxeles, con 8 bits por canal. Los perfiles de color se leen como los lee este navegador; los resultados son sRGB en JPEG o PNG, sin los demás metadatos de la foto.",
  footnote: "Los colores son una suposición plausible, no un testimonio; cada resultado lo dice en sus metadatos. Las fotos se quedan en esta pestaña y se van con ella.",
  sending: "Trayendo las redes",
  sharpening: "Pintando a tamaño completo…",
  networks: "No se han podido traer las redes. Con conexión, suelte la foto otra vez.",
  offline: "Esto no funciona sin conexión.",
  broken: "Algo ha ido mal. Inténtelo de nuevo.",
  gone: "Esta foto ya no está. Suéltela otra vez.",
  bad_photo: "Este navegador no puede leer este archivo. JPEG, PNG, WebP y BMP sí.",
  too_many_pixels: "Este escaneo tiene más de los {pixels} megapíxeles que admite esta página.",
};

const fr = {
  stays: "Rien ne quitte ce navigateur : aucun serveur ne reçoit vos photos. La première photo récupère les réseaux, une seule fois : {megabytes} Mo en tout. Ensuite la page fonctionne sans connexion.",
  taken: "JPEG, PNG, WebP et BMP, jusqu’à {pixels} mégapixels, avec 8 bits par canal. Les profils de couleur sont lus comme ce navigateur les lit ; les résultats sont en sRGB, en JPEG ou PNG, sans les autres métadonnées de la photo.",
  footnote: "Les couleurs sont une supposition plausible, pas un témoignage ; chaque résultat le dit dans ses métadonnées. Les photos restent dans cet onglet et disparaissent avec lui.",
  sending: "Récupération des réseaux",
  sharpening: "Peinture en taille réelle…",
  networks: "Les réseaux n’ont pas pu être récupérés. Avec une connexion, déposez la photo à nouveau.",
  offline: "Cela ne fonctionne pas sans connexion.",
  broken: "Quelque chose s’est mal passé. Réessayez.",
  gone: "Cette photo n’est plus là. Déposez-la à nouveau.",
  bad_photo: "Ce navigateur ne peut pas lire ce fichier. Il lit JPEG, PNG, WebP et BMP.",
  too_many_pixels: "Ce scan a plus que les {pixels} mégapixels que cette page accepte.",
};

// the other sentence about where photos go is for servers on other machines
export const tables = Object.fromEntries(Object.entries({ en, de, es, fr }).map(([language, words]) =>
  [language, { ...words, staysServer: words.stays }]));
