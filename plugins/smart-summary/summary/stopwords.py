"""Function words by language: frequent, and silent about the subject."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


STOPWORDS: dict[str, frozenset[str]] = {
    "en": _words(
        """a about above after again against all also am an and any are aren't as at be because been before being below
        between both but by can can't cannot could couldn't did didn't do does doesn't doing don't down during each
        even ever every few for from further get got had hadn't has hasn't have haven't having he her here hers
        herself him himself his how however i i'm i've if in into is isn't it it's its itself just like made make many
        may me might more most much must my myself neither no nor not now of off often on once one only or other our
        ours out over own per quite rather said same say says see shall she should since so some still such than that
        that's the their theirs them themselves then there there's these they they're this those though through thus
        to too two under until up upon us very via was wasn't we we're well were weren't what when where whether which
        while who whom whose why will with within without won't would wouldn't yet you you're your yours yourself"""
    ),
    "de": _words(
        """aber alle allem allen aller alles als also am an ander andere anderen auch auf aus bei beim bin bis bist da
        damit dann das dass daß dein deine dem den denn der des dessen dich die dies diese diesem diesen dieser dieses
        dir doch dort du durch ein eine einem einen einer eines er es etwa etwas euch euer für gegen gewesen hab habe
        haben hat hatte hatten hier hin hinter ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im in ins ist ja jede jedem
        jeden jeder jedes jedoch jener kann kein keine keinem keinen können könnte man manche mehr mein meine mich mir
        mit muss musste nach nicht nichts noch nun nur ob oder ohne sehr sein seine seinem seinen seiner seit selbst
        sich sie sind so solche soll sollte sondern sonst über um und uns unser unter viel vom von vor während war
        waren warum was weg weil weiter welche welcher wenn wer werde werden wie wieder will wir wird wo wollen wurde
        wurden zu zum zur zwar zwischen"""
    ),
    "fr": _words(
        """à afin ai ainsi alors après as au aucun aussi autre autres aux avaient avait avant avec avoir c ce ceci cela
        celle celles celui ces cet cette ceux chaque chez ci comme comment contre d dans de depuis des deux dire donc
        dont du elle elles en encore entre est et étaient était été être eu eux fait faire font hors il ils j je jusqu
        l la là laquelle le lequel les leur leurs lors lui m ma mais même mêmes mes moi moins mon n ne ni non nos notre
        nous on ont ou où par parce pas pendant peu peut plus plusieurs pour pourquoi qu quand que quel quelle quelles
        quels qui s sa sans se selon sera ses si son sont sous souvent sur ta te tes toi ton tous tout toute toutes
        très tu un une vers vos votre vous y c'est d'un d'une n'est qu'il qu'elle s'est l'on"""
    ),
    "es": _words(
        """a al algo algunas algunos ante antes aquel aquella así aún aunque bajo bien cada como con contra cual cuando
        de del desde después donde dos durante e el él ella ellas ellos en entre era eran es esa ese eso esta está
        están estar estas este esto estos fue fueron ha había habían han hasta hay la las le les lo los más me mi
        mientras mismo mucho muchos muy nada ni no nos nosotros o os otra otras otro otros para pero poco por porque
        pues que qué quien quienes se sea según ser si sí sido sin sobre son su sus también tan tanto te tiene tienen
        todo todos tras tu tus un una uno unos usted y ya yo"""
    ),
    "it": _words(
        """a ad agli ai al alla alle allo anche ancora avere aveva c che chi ci cioè come con contro cosa così cui da
        dagli dai dal dalla dalle degli dei del della delle dello dentro di dopo dove due e è ed era erano essere fa
        fino fra gli ha hanno i il in io la le lei lo loro lui ma mentre mi mia mio molto ne negli nei nel nella nelle
        no noi non nostro o ogni oltre per perché però più poi prima qua quale quando quanto quella quelle quello
        questa queste questi questo qui se sei si sia sono sotto stata stati stato su sua sue sugli sui sul sulla suo
        suoi tra tu tutta tutti tutto un una uno vi voi"""
    ),
    "pt": _words(
        """a à ainda além ante antes ao aos apenas aquela aquele aquilo as às assim até cada com como contra da das de
        dela dele deles depois desde dessa desse desta deste do dois dos durante e é ela elas ele eles em enquanto
        entre era eram essa esse esta está estão este eu foi foram há isso isto já la lhe lo mais mas me mesmo meu
        minha muito na nas não nem nenhum no nos nós nossa nosso num numa o onde os ou outra outras outro outros para
        pela pelas pelo pelos pode por porque qual quando que quem se seja sem sempre ser seu seus si sido sobre sua
        suas também tanto tem têm ter tinha toda todas todo todos tu um uma umas uns vez você"""
    ),
    "nl": _words(
        """aan af al alle alleen als altijd ander andere ben bij binnen daar dan dat de der deze die dit doch doen door
        dus een eens elk en enkele er ge geen geweest haar had hadden heb hebben heeft hem het hier hij hoe hun iemand
        iets ik in is ja je kan kon kunnen maar me meer men met mij mijn moet na naar niet niets nog nu of om omdat
        onder ons ook op over reeds te tegen toch toen tot u uit uw van veel voor want waren was wat we wel werd
        werden wie wij wil worden wordt zal ze zei zelf zich zij zijn zo zonder zou"""
    ),
    "ru": _words(
        """а без более больше бы был была были было быть в вам вас весь во вот все всего всех вы где да даже для до его
        ее её если есть еще ещё же за и из или им их к как какой когда которая которого которые который кто ли лишь
        между меня мне много может мы на над надо нас не него нее ней нет ни них но о об однако он она они оно от
        очень по под после при с сам своей свои своих со так также такой там тем то того тоже только том ты у уже хотя
        чего чем через что чтобы эта эти это этого этой этом этот я"""
    ),
}
"""Function words by ISO 639-1 code."""

ALL: frozenset[str] = frozenset().union(*(STOPWORDS[code] for code in sorted(STOPWORDS)))
"""For a text whose language does not stand out."""
