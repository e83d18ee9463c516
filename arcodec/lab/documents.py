"""Small sets of labelled documents, written for this project, and pieces of what comes with Python."""

from __future__ import annotations

import json
import random

from .. import texts

_LANGUAGES = {
    "English": """\
The baker opens his shop before the sun is up. We walked along the river until it began to rain. Nobody knew why \
the old clock had stopped. She put the letter back into the drawer and said nothing. My brother wants to learn \
how to sail this summer. The train was late, so they missed the first act. There is still some soup on the stove \
if you are hungry. Every child in the village knows that story. He sold the house and moved to a town by the \
sea. What would you do if you had one more day? The garden looks better than it did last year. They have been \
waiting for an answer since Monday. Could you close the window before you leave? The map showed a road that was \
no longer there. I have never seen so many stars in one night. The teacher asked them to read the first chapter \
again.""",
    "German": """\
Der Bäcker öffnet seinen Laden, bevor die Sonne aufgeht. Wir gingen am Fluss entlang, bis es zu regnen begann. \
Niemand wusste, warum die alte Uhr stehen geblieben war. Sie legte den Brief in die Schublade zurück und sagte \
nichts. Mein Bruder möchte diesen Sommer segeln lernen. Der Zug hatte Verspätung, also verpassten sie den ersten \
Akt. Es steht noch etwas Suppe auf dem Herd, wenn du Hunger hast. Jedes Kind im Dorf kennt diese Geschichte. Er \
verkaufte das Haus und zog in eine Stadt am Meer. Was würdest du tun, wenn du noch einen Tag hättest? Der Garten \
sieht besser aus als im letzten Jahr. Sie warten seit Montag auf eine Antwort. Könntest du das Fenster \
schließen, bevor du gehst? Die Karte zeigte eine Straße, die es nicht mehr gab. Ich habe noch nie so viele \
Sterne in einer Nacht gesehen. Der Lehrer bat sie, das erste Kapitel noch einmal zu lesen.""",
    "French": """\
Le boulanger ouvre sa boutique avant le lever du soleil. Nous avons marché le long de la rivière jusqu'à ce \
qu'il commence à pleuvoir. Personne ne savait pourquoi la vieille horloge s'était arrêtée. Elle remit la lettre \
dans le tiroir et ne dit rien. Mon frère veut apprendre à naviguer cet été. Le train était en retard, alors ils \
ont manqué le premier acte. Il reste un peu de soupe sur le feu si tu as faim. Tous les enfants du village \
connaissent cette histoire. Il a vendu la maison et s'est installé dans une ville au bord de la mer. Que \
ferais-tu si tu avais un jour de plus ? Le jardin est plus beau que l'année dernière. Ils attendent une réponse \
depuis lundi. Pourrais-tu fermer la fenêtre avant de partir ? La carte montrait une route qui n'existait plus. \
Je n'ai jamais vu autant d'étoiles en une nuit. Le maître leur demanda de relire le premier chapitre.""",
    "Spanish": """\
El panadero abre su tienda antes de que salga el sol. Caminamos junto al río hasta que empezó a llover. Nadie \
sabía por qué se había parado el viejo reloj. Ella volvió a guardar la carta en el cajón y no dijo nada. Mi \
hermano quiere aprender a navegar este verano. El tren llegó tarde, así que se perdieron el primer acto. Todavía \
queda un poco de sopa en el fuego si tienes hambre. Todos los niños del pueblo conocen esa historia. Vendió la \
casa y se mudó a una ciudad junto al mar. ¿Qué harías si tuvieras un día más? El jardín está mejor que el año \
pasado. Llevan esperando una respuesta desde el lunes. ¿Podrías cerrar la ventana antes de irte? El mapa \
mostraba un camino que ya no existía. Nunca he visto tantas estrellas en una noche. El maestro les pidió que \
leyeran otra vez el primer capítulo.""",
    "Italian": """\
Il fornaio apre la sua bottega prima che sorga il sole. Abbiamo camminato lungo il fiume finché non ha \
cominciato a piovere. Nessuno sapeva perché il vecchio orologio si fosse fermato. Lei rimise la lettera nel \
cassetto e non disse nulla. Mio fratello vuole imparare ad andare a vela quest'estate. Il treno era in ritardo, \
così hanno perso il primo atto. C'è ancora un po' di minestra sul fuoco se hai fame. Tutti i bambini del paese \
conoscono quella storia. Ha venduto la casa e si è trasferito in una città sul mare. Che cosa faresti se avessi \
un giorno in più? Il giardino è più bello dell'anno scorso. Aspettano una risposta da lunedì. Potresti chiudere \
la finestra prima di uscire? La mappa mostrava una strada che non c'era più. Non ho mai visto tante stelle in \
una notte. Il maestro chiese loro di rileggere il primo capitolo.""",
    "Dutch": """\
De bakker opent zijn winkel voordat de zon op is. We liepen langs de rivier tot het begon te regenen. Niemand \
wist waarom de oude klok was blijven stilstaan. Ze legde de brief terug in de la en zei niets. Mijn broer wil \
deze zomer leren zeilen. De trein was te laat, dus misten ze het eerste bedrijf. Er staat nog wat soep op het \
vuur als je honger hebt. Elk kind in het dorp kent dat verhaal. Hij verkocht het huis en verhuisde naar een stad \
aan zee. Wat zou je doen als je nog een dag had? De tuin ziet er beter uit dan vorig jaar. Ze wachten al sinds \
maandag op een antwoord. Kun je het raam dichtdoen voordat je weggaat? De kaart toonde een weg die er niet meer \
was. Ik heb nog nooit zoveel sterren in één nacht gezien. De meester vroeg hun het eerste hoofdstuk nog eens te \
lezen.""",
}
_SPAM = """Congratulations, you have won a free phone! Click the link now to claim your prize.
Act now: cheap loans without any questions, money in your account in one hour.
You are our lucky winner of 1,000,000 dollars. Send your bank details to receive it.
Lose ten kilos in ten days with this one secret pill. Order today, 50% off!
Your account has been suspended. Verify your password at the link below at once.
Hot singles in your area want to meet you tonight. Click here, it is free!
Limited offer!!! Buy two watches and get one free. Only today, free shipping.
Dear friend, I am a prince and need your help to move 25 million dollars.
Earn 500 dollars a day from home. No experience needed. Click to start now!
FINAL NOTICE: your car warranty ends today. Call now to claim your free extension.
Get rich with this simple trick that banks do not want you to know. Order now!
You have been selected for a free cruise. Claim your ticket now, offer ends tonight.
Cheap pills without prescription, free shipping, 80% off. Order today!
Win a free gift card worth 1000 dollars! Answer three questions and claim it now.
URGENT: your payment failed. Click the link and enter your card number to verify.
Double your money in a week, guaranteed. Send dollars now and get rich.
Free casino bonus! 200 free spins for new players. Click now and win today.
Your parcel is waiting. Pay 1 dollar at the link below to claim your delivery.
Best price for gold watches!!! 90% off, only today. Buy now, free gift.
You won the lottery! Send your name, account and password to receive the money.
Make your hair grow back in one week. Money back guaranteed. Order your free sample!
Claim your tax refund of 950 dollars now. Click here and enter your bank account.
Exclusive offer for lucky winners: free tickets, free hotel, free flights. Act now!
Your computer has 5 viruses! Download our free cleaner now before it is too late."""
_HAM = """Are we still meeting for lunch tomorrow? I could be there at half past twelve.
The minutes of Monday's meeting are attached. Please tell me if something is missing.
Grandma's train arrives at six. Can you pick her up, or shall I ask Tom?
I finished reading the second chapter and wrote some remarks in the margin.
Thanks for the photos! The one with the dog on the beach made us all laugh.
Could you look at the failing test on the branch before we merge it?
The plumber can come on Thursday morning, but somebody has to be at home.
We are out of milk and bread. I will go past the shop on my way back.
The lecture on Friday is moved to room 12, as the projector in 7 is broken.
Happy birthday! I hope you have a lovely day, and see you at the weekend.
I will be late, the bus is stuck in traffic. Please start without me.
Here is the recipe that you asked for. It needs an hour in the oven.
The figures in table 3 do not agree with the text, can you check them again?
Did you hear back from the school about the trip in June?
Your library books are due next week. You may renew them at the desk.
I put the key under the flower pot. Please water the tomatoes on Wednesday.
The choir practises on Tuesday at seven, and we still need two tenors.
Let us talk about the holiday plans when the children are asleep.
The bike is ready, they changed the chain and both brakes.
I have read your draft and like the ending, the middle is a little long.
Dad says the apples are ripe. Who wants to come and help this Saturday?
Can you send me the notes of the course? I was ill on Monday.
The neighbours asked whether we could feed their cat while they are away.
The concert was wonderful, you should have been there with us."""

Labelled = dict[str, list[bytes]]


def languages(size: int = 2) -> Labelled:
    """Documents of so many sentences by their language."""
    out: Labelled = {}
    for name, text in _LANGUAGES.items():
        sentences = [part.strip() for part in text.replace("?", "?|").replace(". ", ".|").split("|") if part.strip()]
        out[name] = [" ".join(sentences[i : i + size]).encode() for i in range(0, len(sentences) - size + 1, size)]
    return out


def messages() -> Labelled:
    """Unwanted messages and others."""
    return {"spam": _SPAM.encode().splitlines(), "not spam": _HAM.encode().splitlines()}


def kinds(seed: int, each: int = 16, size: int = 300) -> Labelled:
    """Pieces of so many bytes of prose, program, JSON and tables."""
    generator = random.Random(seed)
    records = [
        {"id": i, "name": generator.choice(["Ada", "Blaise", "Carl", "Emmy"]), "score": round(generator.random(), 3)}
        for i in range(4000)
    ]
    comma = "\n".join(f"{r['id']},{r['name']},{r['score']}" for r in records).encode()
    whole = {"prose": texts.manual(), "Python": texts.code(), "JSON": json.dumps(records).encode(), "table": comma}
    starts = {name: generator.sample(range(0, len(text) - size, size), each) for name, text in whole.items()}
    return {name: [whole[name][i : i + size] for i in starts[name]] for name in whole}
